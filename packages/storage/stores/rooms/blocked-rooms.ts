import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** `blocked_by` is '' where their account was erased. */
export type BlockedRoomRow = { readonly blocked_by: string; readonly blocked_at: number };

const selectBlocked = sql<BlockedRoomRow, [roomId: string]>(
  'blocked-rooms.get',
  'select blocked_by, blocked_at from blocked_rooms where room_id = $1',
);

const insertBlocked = sql<void, [roomId: string, by: string, at: number]>(
  'blocked-rooms.insert',
  'insert into blocked_rooms (room_id, blocked_by, blocked_at) values ($1, $2, $3) on conflict do nothing',
);

const deleteBlocked = sql<void, [roomId: string]>(
  'blocked-rooms.delete',
  'delete from blocked_rooms where room_id = $1',
);

const touchBlocked = sql<void, [roomId: string]>(
  'blocked-rooms.touch',
  'update blocked_rooms set blocked_at = blocked_at where room_id = $1',
);

/** Fails on the guard `room.blocked` if that is what a room is by the time of the commit. */
export function refuseBlocked(set: WriteSet, roomId: string): void {
  set.guard('room.blocked', 0, touchBlocked, [roomId]);
}

/** Who has blocked a room, if anybody. */
export function findBlocked(reader: Reader, roomId: string): Promise<BlockedRoomRow | undefined> {
  return reader.get(selectBlocked, [roomId]);
}

/** Who did it first stays on record. */
export function addBlocked(set: WriteSet, roomId: string, by: string, at: number): void {
  set.add(insertBlocked, [roomId, by, at]);
}

export function removeBlocked(set: WriteSet, roomId: string): void {
  set.add(deleteBlocked, [roomId]);
}

/** The job that takes one person out of a blocked room again; which one follows. */
export const turnAwayJob = 'turn-away';

const turnAway = sql<void, [userId: string, kind: string, details: string, roomId: string]>(
  'account-jobs.turn-away-if-blocked',
  `insert into account_jobs (user_id, kind, claim, after_room_nid, due_at, attempts, details)
   select cast($1 as text), cast($2 as text), null, -1, 0, 0, cast($3 as text)
   where exists (select 1 from blocked_rooms where room_id = $4)
   on conflict (user_id, kind) do update set claim = null, due_at = 0, attempts = 0`,
);

/** Somebody gets into a room in a way that cannot be refused: if it is blocked, they are taken out of it again. */
export function turnAwayIfBlocked(
  set: WriteSet,
  userId: string,
  room: { readonly roomNid: number; readonly roomId: string },
): void {
  set.add(turnAway, [userId, `${turnAwayJob} ${room.roomId}`, JSON.stringify(room), room.roomId]);
  set.change('account_job', userId);
}

const selectLocals = sql<{ user_id: string }, [roomNid: number, memberships: string, afterUser: string, limit: number]>(
  'memberships.local-page',
  `select user_id from memberships
   where room_nid = $1 and user_id > $3 and is_local = 1
     and membership in (select value from json_each(cast($2 as text)))
   order by user_id limit $4`,
);

/** People of this server whose membership in a room is one of these, page by page. */
export async function readLocals(
  reader: Reader,
  roomNid: number,
  memberships: readonly string[],
  page: { readonly after: string; readonly limit: number },
): Promise<string[]> {
  const rows = await reader.all(selectLocals, [roomNid, JSON.stringify(memberships), page.after, page.limit]);
  return rows.map((row) => row.user_id);
}
