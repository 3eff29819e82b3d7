import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type StateEntryRow = { readonly type: string; readonly state_key: string; readonly event_nid: number };

const selectSome = sql<StateEntryRow, [roomNid: number, entries: string]>(
  'current-state.some',
  `select c.type, c.state_key, c.event_nid
   from json_each(cast($2 as text)) w
   join current_state c on c.room_nid = $1 and c.type = substr(w.value, 5, cast(substr(w.value, 1, 4) as integer))
     and c.state_key = substr(w.value, 5 + cast(substr(w.value, 1, 4) as integer))`,
);

/** Which events are some entries of a room's state now. */
export async function readStateNids(
  reader: Reader,
  roomNid: number,
  entries: readonly (readonly [type: string, stateKey: string])[],
): Promise<StateEntryRow[]> {
  if (entries.length === 0) return [];
  // The type's length in characters, as `substr` counts them, then type and state key.
  const packed = entries.map(([type, key]) => `${String(Array.from(type).length).padStart(4, '0')}${type}${key}`);
  return reader.all(selectSome, [roomNid, JSON.stringify(packed)]);
}
