import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type MutualRoomRow = { readonly room_nid: number; readonly room_id: string };

const selectMutual = sql<MutualRoomRow, [userId: string, otherId: string, afterNid: number, limit: number]>(
  'mutual-rooms.page',
  `select m.room_nid, r.room_id from memberships m
   join memberships o on o.room_nid = m.room_nid and o.user_id = $2 and o.membership = 'join'
   join rooms r on r.room_nid = m.room_nid
   where m.user_id = $1 and m.membership = 'join' and m.room_nid > $3
   order by m.room_nid limit $4`,
);

const countMutual = sql<{ rooms: number }, [userId: string, otherId: string]>(
  'mutual-rooms.count',
  `select count(*) as rooms from memberships m
   join memberships o on o.room_nid = m.room_nid and o.user_id = $2 and o.membership = 'join'
   where m.user_id = $1 and m.membership = 'join'`,
);

/** Rooms that two people are both joined to, in the order of their numbers. */
export function readMutualRooms(
  reader: Reader,
  [one, other]: readonly [string, string],
  after: number,
  limit: number,
): Promise<MutualRoomRow[]> {
  return reader.all(selectMutual, [one, other, after, limit]);
}

export async function countMutualRooms(reader: Reader, [one, other]: readonly [string, string]): Promise<number> {
  return (await reader.get(countMutual, [one, other]))?.rooms ?? 0;
}
