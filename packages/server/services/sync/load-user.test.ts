import assert from 'node:assert/strict';
import type { Database } from '@portico/storage';
import { onBothEngines } from '@portico/testkit';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { settleUser } from './load-user.ts';
import { createOnlineIndex, type OnlineIndex, type OnlineUser } from './online-index.ts';

const [alice, bob] = ['@alice:localhost', '@bob:localhost'].map((userId) => ({ userId, deviceId: 'A' }));
const via = { reason: undefined, via: [] };

function openIndex(db: Database): OnlineIndex {
  return createOnlineIndex({ db, now: () => 0, userKinds: new Set(), roomKinds: new Set(), maxUsers: 1 });
}

/** Others come online, until there is no place for somebody any more. */
function crowdOut(index: OnlineIndex, { userId }: OnlineUser): void {
  for (let count = 0; index.users.has(userId); count++) index.touch(`@other-${count}:localhost`);
}

onBothEngines('who was forgotten while their request was under way leaves nothing behind', async (db) => {
  assert.ok(alice);
  const { rooms } = await openTestRooms(db);
  await rooms.create(alice, { preset: 'public_chat' });
  const index = openIndex(db);
  const forgotten = index.touch(alice.userId);
  crowdOut(index, forgotten);
  const user = await settleUser(db, index, forgotten);
  assert.equal(index.users.get(alice.userId), user);
  assert.deepEqual(
    Array.from(index.rooms.values(), (room) => [...room.users]),
    [[user]],
  );
  crowdOut(index, user);
  assert.equal(index.rooms.size, 0);
  index.close();
});

onBothEngines('who is forgotten between two looks at their rooms misses none that they come into', async (db) => {
  assert.ok(alice && bob);
  const { rooms } = await openTestRooms(db);
  const roomId = await rooms.create(bob, { preset: 'public_chat' });
  const index = openIndex(db);
  const user = await settleUser(db, index, index.touch(alice.userId));
  assert.equal(user.rooms.size, 0);
  crowdOut(index, user);
  await rooms.join(alice, roomId, via);
  const settled = await settleUser(db, index, user);
  assert.deepEqual(
    Array.from(settled.rooms.values(), ({ id }) => id),
    [roomId],
  );
  index.close();
});
