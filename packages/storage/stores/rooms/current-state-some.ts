import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type StateEntryRow = { readonly type: string; readonly state_key: string; readonly event_nid: number };

// A `cross join`, which SQLite takes as it stands: it would otherwise go through all that a room has, once for each entry.
const selectSome = sql<StateEntryRow, [roomNid: number, entries: string]>(
  'current-state.some',
  `select c.type, c.state_key, c.event_nid
   from json_each(cast($2 as text)) w
   cross join current_state c
   where c.room_nid = $1 and c.type = substr(w.value, 5, cast(substr(w.value, 1, 4) as integer))
     and c.state_key = substr(w.value, 5 + cast(substr(w.value, 1, 4) as integer))`,
);

const selectUnusual = sql<StateEntryRow, [roomNid: number, entries: string]>(
  'current-state.some-unusual',
  `select c.type, c.state_key, c.event_nid
   from json_each(cast($2 as text)) w
   cross join current_state c
   where c.room_nid = $1 and c.type = w.value ->> 0 and c.state_key = w.value ->> 1`,
);

/**
 * Whether the engines count the characters of a text as it has them: SQLite counts none behind NUL, and PostgreSQL those of the form
 * in which it keeps NUL and noncharacters.
 */
const isCounted = (text: string): boolean => !/[\0\uFDD0]/.test(text);

/** Which events are some entries of a room's state now. */
export async function readStateNids(
  reader: Reader,
  roomNid: number,
  entries: readonly (readonly [type: string, stateKey: string])[],
): Promise<StateEntryRow[]> {
  const usual = entries.filter(([type, key]) => isCounted(type) && isCounted(key));
  // The type's length in characters, as `substr` counts them, then type and state key.
  const packed = usual.map(([type, key]) => `${String(Array.from(type).length).padStart(4, '0')}${type}${key}`);
  const unusual = usual.length === entries.length ? [] : entries.filter((entry) => !usual.includes(entry));
  const [some, others] = await Promise.all([
    usual.length === 0 ? [] : reader.all(selectSome, [roomNid, JSON.stringify(packed)]),
    unusual.length === 0 ? [] : reader.all(selectUnusual, [roomNid, JSON.stringify(unusual)]),
  ]);
  return [...some, ...others];
}
