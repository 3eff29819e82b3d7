import type { Database, Reader } from '@portico/storage';
import { findPublished, readPublishedRooms } from '@portico/storage/stores/directory/room-directory.ts';
import { publicationChange } from '@portico/storage/stores/directory/room-directory-write.ts';
import { indexOfPlace, type ListedRoom, listedRoom } from './listed-room.ts';
import { changedRooms, readSummaries } from './room-summaries.ts';

/** The published rooms, in the directory's order, kept in memory and up to date. */
export interface DirectoryIndex {
  /** As they are now. Not to be kept across an `await`. */
  rooms(): Promise<readonly ListedRoom[]>;
  close(): void;
}

/** A directory of more rooms than this, or of more text, shows the largest of them. */
const maxRooms = 20_000;
const maxCharacters = 32 * 1024 * 1024;
const roomsPerQuery = 500;

/** Where the rooms of a directory are named. */
export type DirectorySource = {
  /** The kinds of changes that say that a room came or went; their keys are the rooms' numbers. */
  readonly changes: ReadonlySet<string>;
  /** The listed rooms with the most members. */
  readonly largest: (reader: Reader, limit: number) => Promise<number[]>;
  /** Those of some rooms that are listed. */
  readonly among: (reader: Reader, roomNids: readonly number[]) => Promise<ReadonlySet<number>>;
};

const published: DirectorySource = {
  changes: new Set([publicationChange]),
  largest: readPublishedRooms,
  among: findPublished,
};

export function createDirectoryIndex(db: Database, source: DirectorySource = published): DirectoryIndex {
  const listed = new Map<number, ListedRoom>();
  let order: ListedRoom[] = [];
  let characters = 0;
  let loaded = false;
  let refreshing: Promise<void> | undefined;
  /** Rooms that changed, or came or went, since they were read. */
  let stale = new Set<number>();

  const stop = db.onChanges((batches) => {
    if (!loaded && refreshing === undefined) return;
    for (const roomNid of changedRooms(batches)) if (refreshing || listed.has(roomNid)) stale.add(roomNid);
    for (const { changes } of batches) {
      for (const { kind, key } of changes) if (source.changes.has(kind)) stale.add(Number(key));
    }
  });

  function put(room: ListedRoom): void {
    if (listed.size >= maxRooms || characters + room.json.length > maxCharacters) return;
    listed.set(room.roomNid, room);
    characters += room.json.length;
    order.splice(indexOfPlace(order, room), 0, room);
  }

  function remove(roomNid: number): void {
    const room = listed.get(roomNid);
    if (room === undefined) return;
    listed.delete(roomNid);
    characters -= room.json.length;
    order.splice(indexOfPlace(order, room), 1);
  }

  async function refresh(): Promise<void> {
    const reader = loaded ? db : db.long;
    const changed = stale;
    stale = new Set();
    try {
      await read(reader, loaded ? [...changed] : await source.largest(reader, maxRooms));
    } catch (error) {
      for (const roomNid of changed) stale.add(roomNid);
      throw error;
    }
    loaded = true;
  }

  async function read(reader: Reader, nids: readonly number[]): Promise<void> {
    for (let start = 0; start < nids.length; start += roomsPerQuery) {
      const some = nids.slice(start, start + roomsPerQuery);
      const found = await source.among(reader, some);
      const summaries = await readSummaries(reader, [...found]);
      for (const roomNid of some) remove(roomNid);
      for (const summary of summaries) put(listedRoom(summary));
    }
  }

  return {
    async rooms() {
      // What is being read may be older than what the caller has seen happen: one more look is enough.
      if (refreshing !== undefined) await refreshing;
      if (!loaded || stale.size > 0) {
        refreshing ??= refresh().finally(() => {
          refreshing = undefined;
        });
        await refreshing;
      }
      return order;
    },
    close() {
      stop();
      order = [];
      listed.clear();
    },
  };
}
