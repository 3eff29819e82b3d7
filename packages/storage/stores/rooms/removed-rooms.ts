import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A room that somebody is no longer in. */
export type DepartedRoomRow = {
  readonly room_nid: number;
  readonly room_id: string;
  readonly membership: string;
  readonly event_nid: number;
  readonly room_order: number;
  readonly position: number;
};

const columns = 'm.room_nid, r.room_id, m.membership, m.event_nid, m.room_order, m.position';

const selectRemovals = sql<DepartedRoomRow, [userId: string, limit: number]>(
  'memberships.removals',
  `select ${columns}
   from (
     select * from memberships
     where user_id = $1 and membership in ('leave', 'ban') and forgotten = 0 order by position desc limit $2
   ) m
   join events e on e.event_nid = m.event_nid
   join rooms r on r.room_nid = m.room_nid
   where e.sender <> $1 and (m.membership = 'ban' or not exists (
     select 1 from membership_changes c
     where c.user_id = m.user_id and c.room_nid = m.room_nid and c.position = m.position
       and c.previous in ('invite', 'knock')
   ))`,
);

const selectDepartures = sql<DepartedRoomRow, [userId: string, roomNids: string]>(
  'memberships.departures',
  `select ${columns} from memberships m join rooms r on r.room_nid = m.room_nid
   where m.user_id = $1 and m.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
     and m.membership in ('leave', 'ban')`,
);

/**
 * The rooms from which somebody was removed by another person, among those that they left last; not those that they forgot, nor
 * those where an invitation was taken back.
 */
export function readRemovals(reader: Reader, userId: string, limit: number): Promise<DepartedRoomRow[]> {
  return reader.all(selectRemovals, [userId, limit]);
}

/** Those of some rooms that somebody is no longer in. */
export async function readDepartures(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
): Promise<DepartedRoomRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectDepartures, [userId, JSON.stringify(roomNids)]);
}
