import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { RootedStateRow } from './current-state-read.ts';

const columns = 'c.room_nid, c.type, c.state_key, c.event_nid, r.state_root, r.last_position';

/* SQLite takes the tables of a `cross join` in this order. */
const selectEntries = sql<RootedStateRow, [roomNids: string, entries: string]>(
  'current-state.entries-of-rooms',
  `with wanted as materialized (
     select value ->> 0 as type, value ->> 1 as state_key from json_each(cast($2 as text))
   )
   select ${columns}
   from json_each(cast($1 as text)) n cross join wanted w
   join current_state c on c.room_nid = cast(n.value as bigint) and c.type = w.type and c.state_key = w.state_key
   join rooms r on r.room_nid = c.room_nid`,
);

const selectTypes = sql<RootedStateRow, [roomNids: string, types: string]>(
  'current-state.types-of-rooms',
  `select ${columns}
   from json_each(cast($1 as text)) n cross join json_each(cast($2 as text)) w cross join current_state c
   join rooms r on r.room_nid = c.room_nid
   where c.room_nid = cast(n.value as bigint) and c.type = w.value`,
);

/** The same entries of the states now of several rooms. */
export async function readStateEntries(
  reader: Reader,
  roomNids: readonly number[],
  entries: readonly (readonly [type: string, stateKey: string])[],
): Promise<RootedStateRow[]> {
  if (roomNids.length === 0 || entries.length === 0) return [];
  return reader.all(selectEntries, [JSON.stringify(roomNids), JSON.stringify(entries)]);
}

/** All entries of some types. */
export async function readStateOfTypes(
  reader: Reader,
  roomNids: readonly number[],
  types: readonly string[],
): Promise<RootedStateRow[]> {
  if (roomNids.length === 0 || types.length === 0) return [];
  return reader.all(selectTypes, [JSON.stringify(roomNids), JSON.stringify(types)]);
}
