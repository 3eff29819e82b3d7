import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must, pathOf } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { edus, joinAs, openWithPeer, sendTransaction } from './peer.ts';
import { meet, sync, typists } from './people.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`who types is seen on the other server, both ways, until they stop (${engine})`, async (context) => {
    const { alice, bob, roomId } = await meet(context, engine);
    for (const [by, seenBy] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const type = (typing: boolean) =>
        by.put(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/typing/${encodeURIComponent(by.userId)}`, {
          typing,
          timeout: 60_000,
        });
      let since = (await sync(seenBy)).next_batch;
      const next = async () => {
        const answer = await sync(seenBy, since);
        since = answer.next_batch;
        return typists(answer, roomId);
      };
      assert.equal((await type(true)).status, 200);
      assert.deepEqual(await until(next, 'somebody types'), [by.userId]);
      assert.equal((await type(false)).status, 200);
      assert.deepEqual(await until(next, 'nobody types'), []);
    }
  });
}

test('a server speaks of its own people in its own rooms, and of nobody else', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  await joinAs(peer, path, '@gone:peer.test');
  await must(alice.post(pathOf(roomId, 'kick'), { user_id: '@gone:peer.test' }));
  const since = (await sync(alice)).next_batch;
  const typing = (userId: unknown, room: unknown = roomId, isTyping: unknown = true) => ({
    edu_type: 'm.typing',
    content: { room_id: room, user_id: userId, typing: isTyping },
  });
  const answer = await sendTransaction(
    peer,
    edus([
      typing(alice.userId),
      typing('@stranger:peer.test'),
      typing('@gone:peer.test'),
      typing('@mallory:elsewhere.test'),
      typing('@mallory:peer.test', '!nowhere:hs1'),
      typing('@mallory:peer.test', roomId, 'yes'),
      typing(['@mallory:peer.test']),
      typing('@mallory:peer.test'),
    ]),
  );
  assert.equal(answer.status, 200);
  assert.deepEqual(typists(await sync(alice, since), roomId), ['@mallory:peer.test']);
});

test('a poisoned EDU does not disturb the others', async (context) => {
  const { peer, alice, roomId, path, server } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const since = (await sync(alice)).next_batch;
  const good = { edu_type: 'm.typing', content: { room_id: roomId, user_id: '@mallory:peer.test', typing: true } };
  const poison = [
    null,
    'm.typing',
    7,
    [],
    {},
    { edu_type: 'm.typing' },
    { edu_type: 'm.typing', content: null },
    { edu_type: 'm.typing', content: [] },
    { edu_type: ['m.typing'], content: {} },
    { edu_type: '__proto__', content: {} },
    { edu_type: 'org.example.unknown', content: { a: 1 } },
    { edu_type: 'm.typing', content: { room_id: {}, user_id: {}, typing: {} } },
  ];
  assert.equal((await sendTransaction(peer, edus([...poison, good, ...poison]))).status, 200);
  assert.deepEqual(typists(await sync(alice, since), roomId), ['@mallory:peer.test']);
  assert.deepEqual(server.errors, []);
});

test('a transaction with more than 50 events or 100 EDUs is refused as a whole', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const since = (await sync(alice)).next_batch;
  const good = { edu_type: 'm.typing', content: { room_id: roomId, user_id: '@mallory:peer.test', typing: true } };
  const tooMany = await sendTransaction(peer, edus(Array.from({ length: 101 }, () => good)));
  assert.equal(tooMany.status, 400);
  assert.equal(
    (await sendTransaction(peer, { ...edus([good]), pdus: Array.from({ length: 51 }, () => ({})) })).status,
    400,
  );
  assert.equal(typists(await sync(alice, since), roomId), undefined);
  assert.equal((await sendTransaction(peer, edus(Array.from({ length: 100 }, () => good)))).status, 200);
  assert.deepEqual(typists(await sync(alice, since), roomId), ['@mallory:peer.test']);
});

test('servers that a room denies do not type in it', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const good = { edu_type: 'm.typing', content: { room_id: roomId, user_id: '@mallory:peer.test', typing: true } };
  const acl = await alice.put(`/_matrix/client/v3/rooms/${path}/state/m.room.server_acl/`, {
    allow: ['*'],
    deny: ['*.TEST'],
  });
  assert.equal(acl.status, 200);
  const since = (await sync(alice)).next_batch;
  assert.equal((await sendTransaction(peer, edus([good]))).status, 200);
  assert.equal(typists(await sync(alice, since), roomId), undefined);
});
