import { isJsonObject, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findPublished } from '@portico/storage/stores/directory/room-directory.ts';
import { readStateContents } from '@portico/storage/stores/directory/room-summaries.ts';
import { type ListedRoomRow, readCreators, readJoinedHere } from '@portico/storage/stores/rooms/room-list.ts';

/** By what rooms can be sorted. */
export type RoomOrder =
  | 'name'
  | 'canonical_alias'
  | 'joined_members'
  | 'joined_local_members'
  | 'version'
  | 'creator'
  | 'encryption'
  | 'federatable'
  | 'public'
  | 'join_rules'
  | 'guest_access'
  | 'history_visibility';

/** What a room is sorted by; `undefined` for one that has nothing of the kind, which comes last. */
type Key = string | number | undefined;
type Keys = ReadonlyMap<number, Key>;
type Rows = readonly ListedRoomRow[];

/** As much of a text as decides in which order people are shown it. */
const longestKey = 255;

/** By what rooms can be sorted that has no index. */
export type SortedOrder = Exclude<RoomOrder, 'joined_members'>;

/** Tools expect the largest first where something is counted. */
function readKeys(db: Reader, order: SortedOrder, rows: Rows, serverName: string): Keys | Promise<Keys> {
  switch (order) {
    case 'joined_local_members':
      return readSizesHere(db, rows, serverName);
    case 'version':
      return keysOf(rows, (row) => -Number(row.room_version));
    case 'creator':
      return readCreators(db, nidsOf(rows));
    case 'public':
      return readPublicity(db, rows);
    case 'federatable':
      return readTexts(db, rows, 'm.room.create', (content) => (content['m.federate'] === false ? '0' : '1'));
    case 'name':
      return readTexts(db, rows, 'm.room.name', (content) => content['name']);
    case 'canonical_alias':
      return readTexts(db, rows, 'm.room.canonical_alias', (content) => content['alias']);
    case 'encryption':
      return readTexts(db, rows, 'm.room.encryption', (content) => content['algorithm']);
    case 'join_rules':
      return readTexts(db, rows, 'm.room.join_rules', (content) => content['join_rule']);
    case 'guest_access':
      return readTexts(db, rows, 'm.room.guest_access', (content) => content['guest_access']);
    case 'history_visibility':
      return readTexts(db, rows, 'm.room.history_visibility', (content) => content['history_visibility']);
    default:
      return order satisfies never;
  }
}

/** Rooms that are alike stay in the order in which they are given. */
export async function sortRooms(
  db: Reader,
  rows: Rows,
  { order, isDescending, serverName }: { order: SortedOrder; isDescending: boolean; serverName: string },
): Promise<ListedRoomRow[]> {
  const keys = await readKeys(db, order, rows, serverName);
  const sorted = rows.toSorted((a, b) => compare(keys.get(a.room_nid), keys.get(b.room_nid)));
  return isDescending ? sorted.toReversed() : sorted;
}

function compare(a: Key, b: Key): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b ? -1 : 1;
}

function nidsOf(rows: Rows): number[] {
  return rows.map((row) => row.room_nid);
}

function keysOf(rows: Rows, keyOf: (row: ListedRoomRow) => Key): Keys {
  return new Map(rows.map((row) => [row.room_nid, keyOf(row)]));
}

async function readSizesHere(db: Reader, rows: Rows, serverName: string): Promise<Keys> {
  const sizes = await readJoinedHere(db, nidsOf(rows), serverName);
  return keysOf(rows, (row) => -(sizes.get(row.room_nid) ?? 0));
}

async function readPublicity(db: Reader, rows: Rows): Promise<Keys> {
  const published = await findPublished(db, nidsOf(rows));
  return keysOf(rows, (row) => (published.has(row.room_nid) ? 1 : 0));
}

async function readTexts(
  db: Reader,
  rows: Rows,
  type: string,
  textOf: (content: { readonly [field: string]: unknown }) => unknown,
): Promise<Keys> {
  const keys = new Map<number, string>();
  await inChunks(rows, async (some) => {
    for (const { room_nid: nid, content } of await readStateContents(db, nidsOf(some), [type])) {
      const parsed = parseJson(content);
      const text = isJsonObject(parsed) ? textOf(parsed) : undefined;
      if (typeof text === 'string' && text !== '') keys.set(nid, text.slice(0, longestKey).toLowerCase());
    }
  });
  return keys;
}

/** State events may be large: of so many at once there are the contents in memory. */
const chunk = 500;

export async function inChunks(rows: Rows, work: (some: Rows) => Promise<void>): Promise<void> {
  for (let start = 0; start < rows.length; start += chunk) await work(rows.slice(start, start + chunk));
}
