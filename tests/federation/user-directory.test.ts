import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoom, join } from '@portico/testkit/people.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

test('people of other servers are found by the names that they have in rooms anyone may join', async (context) => {
  const network = await startTestNetwork(['hs1', 'hs2']);
  context.after(() => network.close());
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  await alice.put(`/_matrix/client/v3/profile/${alice.userId}/displayname`, { displayname: 'Wilhelmina' });
  const find = async (who: TestClient, search_term: string) => {
    const { body } = await who.post('/_matrix/client/v3/user_directory/search', { search_term });
    return (body['results'] as { user_id: string }[]).map(({ user_id: userId }) => userId);
  };
  const roomId = await createRoom(alice, { preset: 'public_chat' });
  assert.deepEqual(await find(bob, 'wilhelmina'), []);
  await join(bob, roomId, 'hs1');
  assert.deepEqual(await find(bob, 'wilhelmina'), [alice.userId]);
  await bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/leave`, {});
  assert.deepEqual(await find(bob, 'wilhelmina'), []);
  // What she calls herself where not everybody may come is between those in the room; her ID is enough to find her there.
  const closed = await createRoom(alice, { preset: 'private_chat', invite: [bob.userId] });
  await join(bob, closed, 'hs1');
  assert.deepEqual(await find(bob, 'wilhelmina'), []);
  assert.deepEqual(await find(bob, alice.userId), [alice.userId]);
});
