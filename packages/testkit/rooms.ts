import { randomBytes } from 'node:crypto';
import { signingKeyFromSeed } from '@portico/protocol';
import { createRoomService, type RoomService } from '@portico/server/services/rooms/room-service.ts';
import { createUnreadService } from '@portico/server/services/unread/unread-service.ts';
import type { Database } from '@portico/storage';
import { openStateStore, type StateStore } from '@portico/storage/state-trie/index.ts';

export type TestRooms = { readonly rooms: RoomService; readonly states: StateStore };

/** The room service of a server named `localhost`, on a database of the test. */
export async function openTestRooms(db: Database, now: () => number = Date.now): Promise<TestRooms> {
  const states = await openStateStore(db, { cacheBytes: 8 * 1024 * 1024 });
  const unread = createUnreadService({ db, isLocal: (userId) => userId.endsWith(':localhost') });
  const rooms = createRoomService({
    db,
    states,
    unread,
    signer: { serverName: 'localhost', key: signingKeyFromSeed('ed25519:test', randomBytes(32)) },
    serverName: 'localhost',
    defaultVersion: '12',
    now,
    randomId: () => randomBytes(12).toString('base64url'),
    profileOf: async () => ({}),
  });
  return { rooms, states };
}
