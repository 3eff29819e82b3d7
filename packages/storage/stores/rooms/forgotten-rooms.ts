import type { WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const forget = sql<void, [roomNid: number, userId: string]>(
  'memberships.forget',
  `update memberships set forgotten = 1
   where room_nid = $1 and user_id = $2 and membership in ('leave', 'ban')`,
);

/** Forgets a room for somebody. Fails on the guard `room.not-left` if they have returned to it. */
export function forgetRoom(set: WriteSet, roomNid: number, userId: string): void {
  set.guard('room.not-left', 1, forget, [roomNid, userId]);
  set.change('forgotten', userId);
}
