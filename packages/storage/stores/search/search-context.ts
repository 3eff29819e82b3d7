import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';
import { packPairs } from '../events/packed-pairs.ts';

/** An event beside one that was found: `place` is that one's in the list. */
export type NeighbourRow = { readonly place: number; readonly event_nid: number; readonly room_order: number };

const selectNeighbours = sql<NeighbourRow, [found: string, before: number, after: number]>(
  'search.neighbours',
  `with found as materialized (
     select cast(key as bigint) as place, cast(substr(value, 1, 16) as bigint) as room_nid,
       cast(substr(value, 17) as bigint) as room_order
     from json_each(cast($1 as text))
   ), bounds as materialized (
     select f.place, f.room_nid, coalesce((
       select min(b.room_order) from (
         select room_order from events where room_nid = f.room_nid and room_order < f.room_order
         order by room_order desc limit $2
       ) b
     ), f.room_order) as first_order, coalesce((
       select max(a.room_order) from (
         select room_order from events where room_nid = f.room_nid and room_order > f.room_order
         order by room_order limit $3
       ) a
     ), f.room_order) as last_order
     from found f
   )
   select b.place, e.event_nid, e.room_order
   from bounds b cross join events e
   where e.room_nid = b.room_nid and e.room_order >= b.first_order and e.room_order <= b.last_order
   order by b.place, e.room_order`,
);

/** The events around each of those found, and these themselves, in their order. */
export function readNeighbours(
  reader: Reader,
  found: readonly { readonly roomNid: number; readonly order: number }[],
  limits: { readonly before: number; readonly after: number },
): Promise<NeighbourRow[]> {
  const packed = packPairs(found.map(({ roomNid, order }) => [roomNid, String(order)]));
  return reader.all(selectNeighbours, [packed, limits.before, limits.after]);
}
