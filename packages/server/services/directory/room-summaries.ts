import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import type { CommittedChanges, Database, Reader } from '@portico/storage';
import { readRoomFacts, readSummaryState, summaryChange } from '@portico/storage/stores/directory/room-summaries.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import { type RoomSummary, summarise } from './room-summary.ts';

/** Summaries of rooms as they are now, in memory until something they tell changes. */
export interface RoomSummaries {
  /** Of those of the rooms that exist. */
  of(roomNids: readonly number[]): Promise<ReadonlyMap<number, RoomSummary>>;
  close(): void;
}

const maxSummaries = 5000;

export function createRoomSummaries(db: Database): RoomSummaries {
  const cache = createSmallCache<number, RoomSummary>(maxSummaries);
  // What was being read while a room changed may be older than the change.
  let changes = 0;
  const stop = db.onChanges((batches) => {
    for (const roomNid of changedRooms(batches)) {
      changes += 1;
      cache.delete(roomNid);
    }
  });

  return {
    async of(roomNids) {
      const found = new Map<number, RoomSummary>();
      const missing: number[] = [];
      for (const roomNid of roomNids) {
        const known = cache.get(roomNid);
        if (known === undefined) missing.push(roomNid);
        else found.set(roomNid, known);
      }
      const before = changes;
      for (const summary of await readSummaries(db, missing)) {
        found.set(summary.roomNid, summary);
        if (changes === before) cache.set(summary.roomNid, summary);
      }
      return found;
    },
    close: stop,
  };
}

/** The rooms whose summaries some changes make another. */
export function changedRooms(batches: readonly CommittedChanges[]): ReadonlySet<number> {
  const rooms = new Set<number>();
  for (const { changes } of batches) {
    for (const { kind, key } of changes) {
      if (kind === summaryChange) rooms.add(Number(key));
      // Its key is the room's number and the person, with a space between.
      if (kind === 'membership') rooms.add(Number.parseInt(String(key), 10));
    }
  }
  return rooms;
}

/** Reads summaries from the database. */
export async function readSummaries(reader: Reader, roomNids: readonly number[]): Promise<RoomSummary[]> {
  if (roomNids.length === 0) return [];
  const [facts, rows] = await Promise.all([readRoomFacts(reader, roomNids), readSummaryState(reader, roomNids)]);
  const contents = new Map<number, Map<string, JsonObject>>();
  for (const row of rows) {
    const ofRoom = contents.get(row.room_nid) ?? new Map<string, JsonObject>();
    contents.set(row.room_nid, ofRoom);
    const content = parseJson(row.content, 'lenient');
    if (isJsonObject(content)) ofRoom.set(row.type, content);
  }
  return facts.map((row) =>
    summarise(
      { roomNid: row.room_nid, roomId: row.room_id, version: row.room_version, joinedMembers: row.joined_count },
      contents.get(row.room_nid) ?? new Map(),
    ),
  );
}
