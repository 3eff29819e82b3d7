import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ActivityRow = { readonly room_nid: number; readonly room_order: number };

/** How far back in a room is looked. */
const maxEvents = 100;

const selectActivity = sql<ActivityRow, [roomNids: string, types: string, without: string, limit: number]>(
  'timeline.last-activity',
  `select a.room_nid, a.room_order from (
     select cast(w.value as bigint) as room_nid, (
       select max(t.room_order) from (
         select e.room_order, e.type, e.state_key, e.sender from events e
         where e.room_nid = cast(w.value as bigint) and e.room_order is not null
         order by e.room_order desc limit $4
       ) t
       where t.type in (select value from json_each(cast($2 as text)))
         and (t.state_key is not null or t.sender not in (select value from json_each(cast($3 as text))))
     ) as room_order
     from json_each(cast($1 as text)) w
   ) a
   where a.room_order is not null`,
);

/** The last event of some types in each of some rooms, but messages by some people; not if it is long ago. */
export async function readLastActivity(
  reader: Reader,
  roomNids: readonly number[],
  types: Iterable<string>,
  without: Iterable<string>,
): Promise<ReadonlyMap<number, number>> {
  if (roomNids.length === 0) return new Map();
  const lists = [roomNids, [...types], [...without]].map((list) => JSON.stringify(list)) as [string, string, string];
  const rows = await reader.all(selectActivity, [...lists, maxEvents]);
  return new Map(rows.map((row) => [row.room_nid, row.room_order]));
}
