import { randomBytes } from 'node:crypto';
import { signingKeyFromSeed } from '@portico/protocol';
import { createRoomService } from '@portico/server/services/rooms/create-room-service.ts';
import { createInviteRules } from '@portico/server/services/privacy/invite-rules.ts';
import { createUnreadService } from '@portico/server/services/unread/unread-service.ts';
import type { Database } from '@portico/storage';
import { openStateStore, type StateStore } from '@portico/storage/state-trie/index.ts';

export type TestRooms = { readonly rooms: ReturnType<typeof createRoomService>; readonly states: StateStore };

type Options = { readonly now?: () => number; readonly serverName?: string; readonly roomVersion?: string };

/** The room service of a server, on a database of the test. */
export async function openTestRooms(db: Database, options: Options = {}): Promise<TestRooms> {
  const { now = Date.now, serverName = 'localhost', roomVersion = '12' } = options;
  const states = await openStateStore(db, { cacheBytes: 8 * 1024 * 1024 });
  const unread = createUnreadService({ db, isLocal: (userId) => userId.endsWith(`:${serverName}`) });
  const rooms = createRoomService({
    db,
    states,
    unread,
    signer: { serverName, key: signingKeyFromSeed('ed25519:test', randomBytes(32)) },
    serverName,
    defaultVersion: roomVersion,
    now,
    randomId: () => randomBytes(12).toString('base64url'),
    profileOf: async () => ({}),
    inviteRules: createInviteRules({ db }),
  });
  return { rooms, states };
}
