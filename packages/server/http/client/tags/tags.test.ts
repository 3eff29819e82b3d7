import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoom } from '@portico/testkit/people.ts';
import { startTestServer } from '@portico/testkit/server.ts';

test('many tags are set and taken away at the same moment', async (context) => {
  const server = await startTestServer();
  context.after(() => server.close());
  const alice = await server.registerUser();
  const roomId = await createRoom(alice);
  const tags = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/rooms/${encodeURIComponent(roomId)}/tags`;
  const read = async (): Promise<string[]> => Object.keys((await alice.get(tags)).body['tags'] ?? {}).toSorted();
  const names = Array.from({ length: 20 }, (_, index) => `u.tag-${index}`).toSorted();

  const set = await Promise.all(names.map((name, order) => alice.put(`${tags}/${name}`, { order: order / 20 })));
  assert.deepEqual(new Set(set.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(await read(), names);
  const removed = await Promise.all(names.slice(1).map((name) => alice.delete(`${tags}/${name}`)));
  assert.deepEqual(new Set(removed.map(({ status }) => status)), new Set([200]));
  assert.deepEqual(await read(), names.slice(0, 1));
});

test('a room has a hundred tags at most', async (context) => {
  const server = await startTestServer();
  context.after(() => server.close());
  const alice = await server.registerUser();
  const roomId = await createRoom(alice);
  const tags = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/rooms/${encodeURIComponent(roomId)}/tags`;
  for (let index = 0; index < 100; index++) assert.equal((await alice.put(`${tags}/u.tag-${index}`, {})).status, 200);
  assert.notEqual((await alice.put(`${tags}/u.one-more`, {})).status, 200);
  assert.equal((await alice.put(`${tags}/u.tag-99`, { order: 0.5 })).status, 200);
});
