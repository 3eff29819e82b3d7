import type { RoomVersionRules } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { leaveAgainIfDeactivated } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { addEventOutsideTimeline } from '@portico/storage/stores/events/events-write.ts';
import { refuseBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import {
  requireMemberEvent,
  setMembership,
  setStrippedState,
} from '@portico/storage/stores/rooms/memberships-write.ts';
import type { ReceivedEvent } from '../receiving/received-event.ts';
import { unplacedEvent } from '../unplaced-event.ts';
import { makeKnown } from './make-known.ts';

export type RemoteMembership = {
  readonly rules: RoomVersionRules;
  /** The invitation, knock or leave: a member event of somebody of this server. */
  readonly received: ReceivedEvent;
  readonly previous: string;
  /** The event that it is an answer to: it counts only while that stands. Fails on the guard `membership.changed`. */
  readonly answers?: string;
  /** What the person gets to see of the room, as a JSON array, and the servers by which the room was reached. */
  readonly shown: { readonly events: string; readonly servers: readonly string[] } | undefined;
};

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly findRoomNid: (roomId: string) => Promise<number | undefined>;
};

/**
 * Records what somebody of this server is to a room that this server is not in: invited, knocking, or no longer either. The
 * room is then known by its name and version alone. Fails on the guard `room.blocked` where somebody would get closer to a room that is
 * blocked by then.
 */
export async function recordRemoteMembership(
  { db, serverName, findRoomNid }: Dependencies,
  { rules, received, previous, answers, shown }: RemoteMembership,
): Promise<{ readonly roomNid: number; readonly eventNid: number }> {
  const { event, pieces } = received;
  const [roomNid, eventNid] = await Promise.all([
    makeKnown({ db, findRoomNid }, event.roomId, rules),
    db.reserveIds('event', 1),
  ]);
  const set = createWriteSet();
  const position = set.takePosition();
  const userId = event.stateKey ?? '';
  const membership = event.content['membership'];
  if (answers !== undefined) requireMemberEvent(set, roomNid, userId, answers);
  const stored = unplacedEvent({ eventNid, roomNid, status: eventStatus.outlier }, event, pieces);
  addEventOutsideTimeline(set, { ...stored, stateKey: userId });
  setMembership(
    set,
    {
      roomNid,
      userId,
      membership: typeof membership === 'string' ? membership : 'leave',
      previous,
      eventNid,
      host: serverName,
      isLocal: true,
    },
    position,
  );
  if (membership === 'invite' || membership === 'knock') {
    leaveAgainIfDeactivated(set, userId);
    refuseBlocked(set, event.roomId);
  }
  if (shown !== undefined) setStrippedState(set, { roomNid, userId, eventNid, ...shown });
  await db.commit(set);
  return { roomNid, eventNid };
}
