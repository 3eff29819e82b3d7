import type { Database } from '@portico/storage';
import {
  readLastEndsOfJoins,
  readMembershipChanges,
  readRoomsOfUser,
  type MembershipChangeRow,
} from '@portico/storage/stores/rooms/memberships-read.ts';
import { passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import { endOfPosition } from '../reading/tokens.ts';
import { lastPositionOf, type OnlineUser, type UserRoom } from './online-index.ts';
import type { SyncPass } from './pass.ts';

/** A room that the user is joined to. `full`: the client has nothing of it, or wants all of it again. */
export type JoinedPlan = {
  readonly entry: UserRoom;
  readonly full: boolean;
  /** The client has nothing of it yet, so that its timeline does not continue an earlier one. */
  readonly isNew: boolean;
};

/** A room that the user has left, as far as that is news. */
export type LeftPlan = {
  readonly nid: number;
  readonly id: string;
  /** The event that ended it. */
  readonly eventNid: number;
  /** Its place in the room's order: what came later is none of theirs. */
  readonly end: number;
  /** Where the client's knowledge of the room ends; `undefined` if it has none. */
  readonly since: number | undefined;
  /** Where they last ceased to be joined, if they were joined in the time that the answer covers. */
  readonly joinedUntil: number | undefined;
  /** They are invited to it again. If they are shown that, it is all that they are to be told. */
  readonly isInvited: boolean;
};

export type Plan = {
  /** Every joined room that passes the filter. */
  readonly joined: readonly JoinedPlan[];
  readonly invited: readonly UserRoom[];
  readonly knocked: readonly UserRoom[];
  readonly left: readonly LeftPlan[];
};

/** The first and the last change of a membership in some time, and whether it ended being joined. */
export type Moves = { readonly first: MembershipChangeRow; readonly last: MembershipChangeRow; readonly left: boolean };

/**
 * What has become of the user's rooms. Takes the list of joined rooms before it waits for anything, so that it is that
 * of the position up to which the answer goes.
 */
export async function makePlan(db: Database, user: OnlineUser, pass: SyncPass): Promise<Plan> {
  const { since, filter } = pass;
  const current = [...user.rooms.values()].filter((entry) => passesRooms(filter.room, entry.id));
  const moved = since !== undefined && user.membershipPosition > since;
  const moves = moved ? await readMoves(db, user.userId, since, pass.upTo) : new Map<number, Moves>();

  const joined: JoinedPlan[] = [];
  const invited: UserRoom[] = [];
  const knocked: UserRoom[] = [];
  for (const entry of current) {
    const move = moves.get(entry.nid);
    if (entry.membership === 'join') {
      const isNew = since === undefined || (move !== undefined && (move.first.previous !== 'join' || move.left));
      joined.push({ entry, full: isNew || pass.fullState, isNew });
    } else if (since === undefined || pass.fullState || move !== undefined) {
      (entry.membership === 'invite' ? invited : knocked).push(entry);
    }
  }
  return { joined, invited, knocked, left: await planLeft(db, user, pass, moves) };
}

async function planLeft(
  db: Database,
  user: OnlineUser,
  { since, upTo, filter }: SyncPass,
  moves: ReadonlyMap<number, Moves>,
): Promise<LeftPlan[]> {
  const gone = [...moves].filter(([, { last }]) => last.membership === 'leave' || last.membership === 'ban');
  const again = [...moves].filter(([, { last, left }]) => last.membership === 'invite' && left);
  const isFirst = since === undefined;
  const wantsAll = isFirst && filter.room.includeLeave;
  if (gone.length + again.length === 0 && !isFirst) return [];
  const rows = await readRoomsOfUser(db, user.userId, since ?? -1);
  const ends = await readLastEndsOfJoins(db, user.userId);
  const left: LeftPlan[] = [];
  for (const [nid, { first, last }] of again) {
    const [entry, until] = [user.rooms.get(nid), ends.get(nid)];
    if (entry?.membership !== 'invite' || until === undefined || !passesRooms(filter.room, entry.id)) continue;
    const end = endOfPosition(until);
    const knownUntil = first.previous === 'join' && since !== undefined ? endOfPosition(since) : undefined;
    const { event_nid: eventNid } = last;
    left.push({ nid, id: entry.id, eventNid, end, since: knownUntil, joinedUntil: end, isInvited: true });
  }
  for (const row of rows) {
    const move = moves.get(row.room_nid);
    if (row.position > upTo || !passesRooms(filter.room, row.room_id)) continue;
    // Other devices hear that a room was left, even if it was forgotten at once.
    if (row.forgotten === 1 && move === undefined) continue;
    if (row.membership !== 'leave' && row.membership !== 'ban') continue;
    // Who is banned has not "left" a room, and learns of it though it was before the first sync, as with other servers.
    if (move === undefined && !wantsAll && !(isFirst && row.membership === 'ban')) continue;
    const until = ends.get(row.room_nid);
    const wasJoined = move === undefined || move.left;
    left.push({
      nid: row.room_nid,
      id: row.room_id,
      eventNid: row.event_nid,
      // Merged branches can end a membership later than with the event that says so.
      end: Math.max(row.room_order, endOfPosition(row.position)),
      since: move?.first.previous === 'join' && since !== undefined ? endOfPosition(since) : undefined,
      joinedUntil: wasJoined && until !== undefined ? endOfPosition(until) : undefined,
      isInvited: false,
    });
  }
  return left;
}

export async function readMoves(
  db: Database,
  userId: string,
  since: number,
  upTo: number,
): Promise<ReadonlyMap<number, Moves>> {
  const moves = new Map<number, Moves>();
  for (const change of await readMembershipChanges(db, userId, since)) {
    if (change.position > upTo) break;
    const before = moves.get(change.room_nid);
    const left = change.previous === 'join' && change.membership !== 'join';
    moves.set(change.room_nid, { first: before?.first ?? change, last: change, left: left || before?.left === true });
  }
  return moves;
}

/** Whether the room got events after a position. */
export function hasNewEvents({ room }: UserRoom, since: number): boolean {
  return room === undefined || lastPositionOf(room.history) > since;
}
