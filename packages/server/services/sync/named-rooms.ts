import { isJsonObject, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readStateContents } from '@portico/storage/stores/directory/room-summaries.ts';

/** The state that gives a room a name, each with the field that holds it. */
const nameFields: ReadonlyMap<string, string> = new Map([
  ['m.room.name', 'name'],
  ['m.room.canonical_alias', 'alias'],
]);

const nameTypes = [...nameFields.keys()];

/** Whether an event may give a room a name, or take it away. */
export function isNaming({ type, state_key: key }: { readonly type: string; readonly state_key: string | null }) {
  return key === '' && nameFields.has(type);
}

/** Those of some rooms that have a name or an address to be called by, as they are now. */
export async function readNamedRooms(reader: Reader, roomNids: readonly number[]): Promise<ReadonlySet<number>> {
  const named = new Set<number>();
  for (const { room_nid: nid, type, content } of await readStateContents(reader, roomNids, nameTypes)) {
    const value = parseJson(content, 'lenient');
    const name = isJsonObject(value) ? value[nameFields.get(type) ?? ''] : undefined;
    if (typeof name === 'string' && name !== '') named.add(nid);
  }
  return named;
}
