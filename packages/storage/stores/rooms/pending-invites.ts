import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type PendingInviteRow = {
  readonly room_nid: number;
  readonly room_id: string;
  readonly inviter: string;
  readonly position: number;
  readonly origin_server_ts: number;
};

const selectPending = sql<
  PendingInviteRow,
  [userId: string, beforePosition: number, beforeRoomNid: number, limit: number]
>(
  'memberships.pending-invites',
  `select m.room_nid, r.room_id, e.sender as inviter, m.position, e.origin_server_ts
   from memberships m
   join rooms r on r.room_nid = m.room_nid
   join events e on e.event_nid = m.event_nid
   where m.user_id = $1 and m.membership = 'invite' and (m.position, m.room_nid) < ($2, $3)
   order by m.position desc, m.room_nid desc limit $4`,
);

export type PendingPlace = { readonly position: number; readonly roomNid: number };

/** Invitations that somebody has neither accepted nor declined, the newest first, before one of them. */
export function listPendingInvites(
  reader: Reader,
  userId: string,
  { position, roomNid }: PendingPlace,
  limit: number,
): Promise<PendingInviteRow[]> {
  return reader.all(selectPending, [userId, position, roomNid, limit]);
}
