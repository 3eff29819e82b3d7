import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type OwnLeaveRow = { readonly user_id: string; readonly content: string };

const selectOwnLeaves = sql<OwnLeaveRow, [pairs: string]>(
  'memberships.own-leaves',
  `with wanted as materialized (
     select cast(substr(value, 1, 16) as bigint) as room_nid, substr(value, 18) as user_id
     from json_each(cast($1 as text))
   )
   select m.user_id, e.content from wanted w
   join memberships m on m.room_nid = w.room_nid and m.user_id = w.user_id
   join events e on e.event_nid = m.event_nid
   where m.membership = 'leave' and e.sender = m.user_id`,
);

/** Of these people in these rooms, those who have left by themselves, with the events that say so. */
export function readOwnLeaves(
  reader: Reader,
  members: readonly { readonly roomNid: number; readonly userId: string }[],
): Promise<OwnLeaveRow[]> {
  const pairs = members.map(({ roomNid, userId }) => `${String(roomNid).padStart(16, '0')} ${userId}`);
  return reader.all(selectOwnLeaves, [JSON.stringify(pairs)]);
}

const selectInRooms = sql<{ user_id: string }, [userIds: string]>(
  'memberships.in-any-room',
  `select u.value as user_id from json_each(cast($1 as text)) u
   where exists (select 1 from memberships m where m.user_id = u.value and m.membership = 'join')`,
);

/** Which of these people are in any room that this server knows of. */
export async function findPeopleInRooms(reader: Reader, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await reader.all(selectInRooms, [JSON.stringify(userIds)]);
  return new Set(rows.map((row) => row.user_id));
}
