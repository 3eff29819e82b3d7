import { isJsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findAccountData, readAccountDataOfType } from '@portico/storage/stores/accounts/accounts-data.ts';
import { createAccountDataMemory, type AccountDataMemory } from '../reading/account-data-memory.ts';
import { parseObject } from './room-facts.ts';

/** What people have said about their rooms in their account data. */
export type RoomLabels = {
  /** The rooms, by ID, that are direct conversations. */
  readonly direct: AccountDataMemory<ReadonlySet<string>>;
  /** The tags of rooms, by ID. */
  readonly tags: AccountDataMemory<ReadonlyMap<string, ReadonlySet<string>>>;
};

/** Rooms and tags of all people together. */
const maxWeight = 200_000;

export function createRoomLabels(db: Database): RoomLabels {
  return {
    direct: createAccountDataMemory(db, {
      maxWeight,
      weigh: (rooms) => 1 + rooms.size,
      load: (userId) => loadDirect(db, userId),
    }),
    tags: createAccountDataMemory(db, {
      maxWeight,
      weigh: (tags) => tags.values().reduce((sum, ofRoom) => sum + 1 + ofRoom.size, 1),
      load: (userId) => loadTags(db, userId),
    }),
  };
}

async function loadDirect(db: Database, userId: string): Promise<ReadonlySet<string>> {
  const row = await findAccountData(db, userId, '', 'm.direct');
  const rooms = new Set<string>();
  for (const ofPerson of Object.values(parseObject(row?.content ?? '{}'))) {
    if (!Array.isArray(ofPerson)) continue;
    for (const roomId of ofPerson) if (typeof roomId === 'string') rooms.add(roomId);
  }
  return rooms;
}

async function loadTags(db: Database, userId: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const tags = new Map<string, ReadonlySet<string>>();
  for (const { room_id: roomId, content } of await readAccountDataOfType(db, userId, 'm.tag')) {
    const named = parseObject(content)['tags'];
    if (isJsonObject(named)) tags.set(roomId, new Set(Object.keys(named)));
  }
  return tags;
}
