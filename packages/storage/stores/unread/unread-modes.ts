import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const dropModes = sql<void, [userId: string, roomNid: number]>(
  'unread-modes.drop',
  'delete from unread_modes where user_id = $1 and room_nid = $2',
);

const startMode = sql<void, [userId: string, roomNid: number, position: PositionParam, ordinal: number, mode: string]>(
  'unread-modes.start',
  `insert into unread_modes (user_id, room_nid, since_order, ordinal, mode)
   values ($1, $2, position($3) * 1048576, $4, $5)
   on conflict do nothing`,
);

/* Older changes than the last few are of use only to who has read nothing for as long. */
const dropOldModes = sql<void, [userId: string, roomNids: string, keep: number]>(
  'unread-modes.drop-old',
  `delete from unread_modes
   where user_id = $1 and room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
     and since_order < (
       select min(l.since_order) from (
         select s.since_order from unread_modes s where s.user_id = $1 and s.room_nid = unread_modes.room_nid
         order by s.since_order desc limit $3
       ) l
     )`,
);

const changeModes = sql<void, [userId: string, roomNids: string, position: PositionParam, mode: string]>(
  'unread-modes.change',
  `insert into unread_modes (user_id, room_nid, since_order, ordinal, mode)
   select $1, r.room_nid, position($3) * 1048576, r.ordinal, $4
   from rooms r where r.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
   on conflict (user_id, room_nid, since_order) do update set mode = excluded.mode`,
);

const modesKept = 32;

/** How events are counted for somebody who joins; `undefined`: like for everyone. */
export function startUnreadMode(
  set: WriteSet,
  member: { readonly userId: string; readonly roomNid: number; readonly ordinal: number },
  mode: string | undefined,
  position: PositionParam,
): void {
  const { userId, roomNid, ordinal } = member;
  set.add(dropModes, [userId, roomNid]);
  if (mode !== undefined) set.add(startMode, [userId, roomNid, position, ordinal, mode]);
}

/** From this set's position on, events of these rooms are counted so for somebody; all before stays counted as it was. */
export function changeUnreadMode(
  set: WriteSet,
  userId: string,
  roomNids: readonly number[],
  mode: string,
  position: PositionParam,
): void {
  const rooms = JSON.stringify(roomNids);
  set.add(dropOldModes, [userId, rooms, modesKept]);
  set.add(changeModes, [userId, rooms, position, mode]);
}
