import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type RoomLeftRow = { readonly position: number; readonly user_id: string; readonly room_id: string };

const selectLeft = sql<RoomLeftRow, [after: number, upTo: number, types: string, limit: number]>(
  'presence-rooms-left.changes',
  `select c.position, c.user_id, r.room_id
   from membership_changes c join rooms r on r.room_nid = c.room_nid
   where c.position > $1 and c.position <= $2 and c.membership <> 'join' and c.previous = 'join'
     and exists (
       select 1 from account_data a where a.user_id = c.user_id and a.room_id = ''
         and a.type in (select value from json_each(cast($3 as text))))
     and not exists (
       select 1 from memberships m
       where m.room_nid = c.room_nid and m.user_id = c.user_id and m.membership = 'join')
   order by c.position limit $4`,
);

/** Rooms that people left, and have not come back to, between two positions: of those who have account data of some types. */
export function readRoomsLeft(
  reader: Reader,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
  types: readonly string[],
): Promise<RoomLeftRow[]> {
  return reader.all(selectLeft, [range.after, range.upTo, JSON.stringify(types), range.limit]);
}

export type SettingsRow = {
  readonly user_id: string;
  readonly type: string;
  readonly content: string;
  readonly stream_position: number;
};

const selectSettings = sql<SettingsRow, [userIds: string, types: string]>(
  'presence-rooms-left.settings',
  `select user_id, type, content, stream_position from account_data
   where user_id in (select value from json_each(cast($1 as text))) and room_id = ''
     and type in (select value from json_each(cast($2 as text)))`,
);

/** Account data of some types of people. */
export async function readSettingsOf(
  reader: Reader,
  userIds: readonly string[],
  types: readonly string[],
): Promise<SettingsRow[]> {
  if (userIds.length === 0) return [];
  return reader.all(selectSettings, [JSON.stringify(userIds), JSON.stringify(types)]);
}
