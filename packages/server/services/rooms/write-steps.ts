import { type RoomEvent, serverNameOf } from '@portico/protocol';
import type { PositionParam, WriteSet } from '@portico/storage';
import { addEventOutsideTimeline, addTimelineEvent } from '@portico/storage/stores/events/events-write.ts';
import { removeCurrentState, setCurrentState } from '@portico/storage/stores/rooms/current-state-write.ts';
import { addPendingRedaction } from '@portico/storage/stores/events/pending-redactions.ts';
import { setMembership, setStrippedState } from '@portico/storage/stores/rooms/memberships-write.ts';
import { announceSummary } from '@portico/storage/stores/directory/room-summaries.ts';
import { addRoom, moveRoomHead, type RoomHeadFields } from '@portico/storage/stores/rooms/rooms.ts';
import { appendRelation } from '../relations/append-relation.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import type { RoomHead } from './head.ts';
import type { Step } from './steps.ts';

/** Writes decided events with all that follows from them, except the room's head. */
export function writeSteps(
  set: WriteSet,
  steps: readonly Step[],
  positions: readonly PositionParam[],
  unread: Pick<UnreadService, 'append'>,
  strippedStateFor: (step: Step) => string | undefined,
  serverName: string,
): void {
  for (const [index, step] of steps.entries()) {
    const position = positionAt(positions, index);
    const { stored, assessment } = step;
    if (assessment === undefined) {
      addEventOutsideTimeline(set, stored);
      continue;
    }
    if (mayBeForOthers(step.event, serverName)) set.change('outgoing', stored.roomNid);
    addTimelineEvent(set, stored, position);
    if (step.pendingRedaction !== undefined) addPendingRedaction(set, step.pendingRedaction, stored);
    appendRelation(set, step.event, stored, position);
    unread.append(set, assessment, stored, position);
    for (const { type, stateKey, after } of step.entries) {
      if (after === undefined) removeCurrentState(set, stored.roomNid, type, stateKey);
      else setCurrentState(set, stored.roomNid, type, stateKey, after.nid);
      announceSummary(set, stored.roomNid, type);
      if (type === 'm.room.power_levels') set.change('power_levels', stored.roomNid);
    }
    for (const membership of step.memberships) setMembership(set, membership, position);
    const stripped = strippedStateFor(step);
    if (stripped !== undefined) {
      const { roomNid, stateKey: userId = '', eventNid } = stored;
      setStrippedState(set, { roomNid, userId, eventNid, events: stripped, servers: [] });
    }
  }
}

/**
 * Whether this server may have to send an event to others: its own, and those by which people of other servers come and go
 * through this one.
 */
function mayBeForOthers({ type, sender, stateKey }: RoomEvent, serverName: string): boolean {
  return serverNameOf(sender) === serverName || (type === 'm.room.member' && stateKey === sender);
}

export function positionAt(positions: readonly PositionParam[], index: number): PositionParam {
  const position = positions.at(index);
  if (position === undefined) throw new Error('there are fewer positions than events');
  return position;
}

/** Makes the last decided head the room's head, if the room still is at the one before. */
export function writeHead(set: WriteSet, head: RoomHead, before: RoomHead, position: PositionParam): void {
  moveRoomHead(set, { ...headFields(head), roomNid: head.roomNid, version: head.version }, before, position);
  announceHead(set, head);
}

export function writeNewRoom(set: WriteSet, head: RoomHead, position: PositionParam): void {
  const { roomNid, roomId, rules, createEventNid, version } = head;
  addRoom(set, { ...headFields(head), roomNid, roomId, roomVersion: rules.version, createEventNid, version }, position);
  announceHead(set, head);
}

function headFields(head: RoomHead): RoomHeadFields {
  return {
    extremities: head.extremities.map(({ eventId, server, state }) => [eventId, state.rootId, server]),
    stateRoot: head.state.rootId,
    maxDepth: head.maxDepth,
    lastEventNid: head.lastEventNid,
    ordinal: head.ordinal,
    joinedCount: head.joinedCount,
    invitedCount: head.invitedCount,
    isActivity: head.isActivity,
  };
}

function announceHead(set: WriteSet, head: RoomHead): void {
  set.change('room', head.roomNid);
  set.change('head', `${head.roomNid} ${head.version}`);
}
