import type { PositionParam, WriteSet } from '@portico/storage';
import { addTimelineEvent, setCurrentState } from '@portico/storage/stores/events-write.ts';
import { setMembership, setStrippedState } from '@portico/storage/stores/memberships-write.ts';
import { addRoom, moveRoomHead, type RoomHeadFields } from '@portico/storage/stores/rooms.ts';
import type { RoomHead } from './head.ts';
import type { Step } from './steps.ts';

/** Writes decided events with all that follows from them, except the room's head. Returns the position of the last one. */
export function writeSteps(
  set: WriteSet,
  steps: readonly Step[],
  strippedStateFor: (step: Step) => string | undefined,
): PositionParam {
  let position: PositionParam | undefined;
  for (const step of steps) {
    position = set.takePosition();
    const { stored, membership } = step;
    addTimelineEvent(set, stored, position);
    if (stored.stateKey !== undefined) {
      setCurrentState(set, stored.roomNid, stored.type, stored.stateKey, stored.eventNid);
    }
    if (membership === undefined) continue;
    setMembership(set, membership, position);
    const stripped = strippedStateFor(step);
    if (stripped !== undefined) {
      setStrippedState(set, stored.roomNid, membership.userId, stored.eventNid, stripped);
    }
  }
  if (position === undefined) throw new Error('there are no events to write');
  return position;
}

/** Makes the last decided head the room's head, if the room still is at `expectedVersion`. */
export function writeHead(set: WriteSet, head: RoomHead, expectedVersion: number, position: PositionParam): void {
  moveRoomHead(set, { ...headFields(head), roomNid: head.roomNid, version: head.version }, expectedVersion, position);
  announceHead(set, head);
}

export function writeNewRoom(set: WriteSet, head: RoomHead, position: PositionParam): void {
  const { roomNid, roomId, rules, createEventNid, version } = head;
  addRoom(set, { ...headFields(head), roomNid, roomId, roomVersion: rules.version, createEventNid, version }, position);
  announceHead(set, head);
}

function headFields(head: RoomHead): RoomHeadFields {
  return {
    extremities: head.extremities,
    stateRoot: head.state.rootId,
    maxDepth: head.maxDepth,
    lastEventNid: head.lastEventNid,
    ordinal: head.ordinal,
    joinedCount: head.joinedCount,
    invitedCount: head.invitedCount,
  };
}

function announceHead(set: WriteSet, head: RoomHead): void {
  set.change('room', head.roomNid);
  set.change('head', `${head.roomNid} ${head.version}`);
}
