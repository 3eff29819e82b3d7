import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '@portico/protocol';
import type { Database } from '@portico/storage';
import {
  readSpaceChildren,
  readStateContents,
  summaryChange,
} from '@portico/storage/stores/directory/room-summaries.ts';
import { createSmallCache, type SmallCache } from '../reading/small-cache.ts';
import { parseSpaceChild } from '../spaces/space-children.ts';

/** What lists of rooms are filtered by. */
export type RoomFacts = {
  readonly type: string | undefined;
  readonly encrypted: boolean;
  readonly name: string | undefined;
};

export const factTypes = ['m.room.create', 'm.room.encryption', 'm.room.name'] as const;

/** As rooms are now, in memory until it changes: for people who are in them. */
export interface RoomFactsReader {
  of(roomNids: readonly number[]): Promise<ReadonlyMap<number, RoomFacts>>;
  /** The rooms, by ID, that any of some spaces has as children. */
  children(spaceNids: readonly number[]): Promise<ReadonlySet<string>>;
  close(): void;
}

const maxRooms = 50_000;
const maxSpaces = 1000;
/** In all the spaces of one list. */
const maxChildren = 20_000;

export function createRoomFacts(db: Database): RoomFactsReader {
  const facts = createSmallCache<number, RoomFacts>(maxRooms);
  const spaces = createSmallCache<number, ReadonlySet<string>>(maxSpaces);
  // What was being read while a room changed may be older than the change.
  let changes = 0;
  const stop = db.onChanges((batches) => {
    for (const batch of batches) {
      for (const { kind, key } of batch.changes) {
        if (kind !== summaryChange) continue;
        changes += 1;
        facts.delete(Number(key));
        spaces.delete(Number(key));
      }
    }
  });

  async function cached<T>(
    cache: SmallCache<number, T>,
    nids: readonly number[],
    read: (missing: readonly number[]) => Promise<ReadonlyMap<number, T>>,
  ): Promise<ReadonlyMap<number, T>> {
    const found = new Map<number, T>();
    const missing: number[] = [];
    for (const nid of nids) {
      const known = cache.get(nid);
      if (known === undefined) missing.push(nid);
      else found.set(nid, known);
    }
    if (missing.length === 0) return found;
    const before = changes;
    for (const [nid, value] of await read(missing)) {
      found.set(nid, value);
      if (changes === before) cache.set(nid, value);
    }
    return found;
  }

  return {
    of: (roomNids) =>
      cached(facts, roomNids, async (missing) => {
        const reader = missing.length > 100 ? db.long : db;
        const rows = Map.groupBy(await readStateContents(reader, missing, factTypes), (row) => row.room_nid);
        return new Map(missing.map((nid) => [nid, factsOf(rows.get(nid) ?? [])]));
      }),
    async children(spaceNids) {
      const found = await cached(spaces, spaceNids, async (missing) => {
        const children = new Map(missing.map((nid) => [nid, new Set<string>()]));
        for (const row of await readSpaceChildren(db, missing, maxChildren)) {
          const child = parseSpaceChild(row);
          if (child !== undefined) children.get(row.room_nid)?.add(child.roomId);
        }
        return children;
      });
      return found.values().reduce((all, some) => all.union(some), new Set<string>());
    },
    close: stop,
  };
}

export function factsOf(events: Iterable<{ readonly type: string; readonly content: string }>): RoomFacts {
  const contents = new Map(Array.from(events, ({ type, content }) => [type, parseObject(content)]));
  return {
    type: textOf(contents.get('m.room.create')?.['type']),
    encrypted: contents.has('m.room.encryption'),
    name: textOf(contents.get('m.room.name')?.['name']),
  };
}

/** The entries without a state key of what somebody who is not in a room was told of it: a JSON array of stripped state. */
function readStripped(events: string): readonly { readonly type: string; readonly content: JsonObject }[] {
  const value = parseJson(events, 'lenient');
  const known: { type: string; content: JsonObject }[] = [];
  for (const event of Array.isArray(value) ? value : []) {
    if (!isJsonObject(event) || typeof event['type'] !== 'string' || event['state_key'] !== '') continue;
    known.push({ type: event['type'], content: isJsonObject(event['content']) ? event['content'] : {} });
  }
  return known;
}

export function factsOfStripped(events: string): RoomFacts {
  return factsOf(readStripped(events).map(({ type, content }) => ({ type, content: JSON.stringify(content) })));
}

/** What a room is called, and its picture, for somebody who is not in it. */
export function labelsOfStripped(events: string): { readonly name?: string; readonly avatar?: string } {
  const contents = new Map(readStripped(events).map(({ type, content }) => [type, content]));
  const name = textOf(contents.get('m.room.name')?.['name']);
  const avatar = textOf(contents.get('m.room.avatar')?.['url']);
  return { ...(name !== undefined && { name }), ...(avatar !== undefined && { avatar }) };
}

export function parseObject(text: string): JsonObject {
  const value = parseJson(text, 'lenient');
  return isJsonObject(value) ? value : {};
}

/** A text that says something. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
