import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { pathOf, say, sees } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { edus, joinAs, openWithPeer, sendTransaction } from './peer.ts';
import { ephemeral, meet, sync } from './people.ts';

type Content = Record<string, Record<string, Record<string, { ts: number; thread_id?: string }>>>;

async function read(by: TestClient, roomId: string, eventId: string, body: object = {}, type = 'm.read') {
  const { status } = await by.post(pathOf(roomId, `receipt/${type}/${encodeURIComponent(eventId)}`), body);
  assert.equal(status, 200);
}

/** All receipts that somebody sees in a room, as `user event thread`. */
async function receipts(client: TestClient, roomId: string): Promise<string[]> {
  const content = ephemeral(await sync(client), roomId, 'm.receipt') as Content | undefined;
  return Object.entries(content ?? {})
    .flatMap(([eventId, types]) =>
      Object.entries(types).flatMap(([type, users]) =>
        Object.entries(users).map(([user, { thread_id: thread = '' }]) =>
          `${type === 'm.read' ? '' : type}${user} ${eventId} ${thread}`.trimEnd(),
        ),
      ),
    )
    .toSorted();
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`who has read what is seen on the other server, threads too, private receipts never (${engine})`, async (context) => {
    const { alice, bob, roomId } = await meet(context, engine);
    const first = await say(alice, roomId, 'first');
    const second = await say(alice, roomId, 'second');
    const reply = await say(alice, roomId, 'reply', { 'm.relates_to': { rel_type: 'm.thread', event_id: first } });
    await sees(bob, roomId, reply);
    await read(bob, roomId, first);
    await read(bob, roomId, second, { thread_id: 'main' });
    await read(bob, roomId, reply, { thread_id: first });
    await read(bob, roomId, reply, {}, 'm.read.private');
    const expected = [`${bob.userId} ${first}`, `${bob.userId} ${second} main`, `${bob.userId} ${reply} ${first}`];
    const seen = async () => {
      const found = await receipts(alice, roomId);
      return found.length === 3 ? found : undefined;
    };
    assert.deepEqual(await until(seen, 'all receipts are there'), expected.toSorted());
    // What comes after all of them has come after the private one as well.
    const last = await say(bob, roomId, 'last');
    await sees(alice, roomId, last);
    assert.deepEqual(await receipts(alice, roomId), expected.toSorted());
  });

  test(`receipts of an outage arrive after it, the last of each person, with one transaction (${engine})`, async (context) => {
    const { network, alice, bob, roomId } = await meet(context, engine);
    const events: string[] = [];
    for (let count = 0; count < 5; count++) events.push(await say(alice, roomId, `message ${count}`));
    const last = events.at(-1) ?? '';
    await sees(bob, roomId, last);
    network.cut('hs1', 'hs2');
    for (const eventId of events) await read(bob, roomId, eventId);
    await network.stop('hs2');
    network.healAll();
    await network.start('hs2');
    const seen = async () => ((await receipts(alice, roomId)).includes(`${bob.userId} ${last}`) ? true : undefined);
    await until(seen, 'the last receipt is there');
  });
}

/** A receipt as another server sends it. */
function receipt(roomId: unknown, userId: string, eventId: unknown, over: object = {}) {
  const data = { data: { ts: 1 }, event_ids: [eventId], ...over };
  return { edu_type: 'm.receipt', content: { [String(roomId)]: { 'm.read': { [userId]: data } } } };
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`threads that a server makes up are not kept without end (${engine})`, async (context) => {
    const { peer, alice, roomId, path } = await openWithPeer(context, engine);
    await joinAs(peer, path, '@mallory:peer.test');
    const eventId = await say(alice, roomId, 'hello');
    const inThread = (threadId: string) =>
      receipt(roomId, '@mallory:peer.test', `$of-${threadId}`, { data: { ts: 1, thread_id: threadId } });
    const send = (list: readonly object[]) => sendTransaction(peer, edus(list));
    await send([inThread('main'), receipt(roomId, '@mallory:peer.test', eventId)]);
    for (let count = 0; count < 5; count++) {
      await send(Array.from({ length: 100 }, (_, index) => inThread(`$${count}-${index}`)));
    }
    const seen = await until(async () => {
      const found = await receipts(alice, roomId);
      return found.some((line) => line.endsWith('$4-99')) ? found : undefined;
    }, 'the last one is there');
    assert.equal(seen.length, 202);
    assert.ok(seen.includes('@mallory:peer.test $of-main main'));
    assert.ok(seen.includes(`@mallory:peer.test ${eventId}`));
    assert.ok(!seen.some((line) => line.includes('$2-')));
  });
}

test('a server reports what its own people have read in rooms that they are in, and nothing else', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const eventId = await say(alice, roomId, 'hello');
  const later = await say(alice, roomId, 'hello again');
  const bad = [
    receipt(roomId, alice.userId, eventId),
    receipt(roomId, '@stranger:peer.test', eventId),
    receipt(roomId, '@mallory:elsewhere.test', eventId),
    receipt('!nowhere:hs1', '@mallory:peer.test', eventId),
    receipt(roomId, '@mallory:peer.test', 7),
    receipt(roomId, '@mallory:peer.test', eventId, { event_ids: eventId }),
    receipt(roomId, '@mallory:peer.test', eventId, { event_ids: [] }),
    receipt(roomId, '@mallory:peer.test', eventId, { data: { ts: 1, thread_id: 7 } }),
    receipt(roomId, '@mallory:peer.test', 'x'.repeat(300)),
    receipt(roomId, '@mallory:peer.test', `${eventId}\0`),
    { edu_type: 'm.receipt', content: { [roomId]: null, x: [] } },
    { edu_type: 'm.receipt', content: { [roomId]: { 'm.read': [eventId] } } },
    {
      edu_type: 'm.receipt',
      content: { [roomId]: { 'm.read.private': { '@mallory:peer.test': { event_ids: [eventId] } } } },
    },
  ];
  assert.equal((await sendTransaction(peer, edus(bad))).status, 200);
  assert.deepEqual(await receipts(alice, roomId), []);

  const good = receipt(roomId, '@mallory:peer.test', later, { data: { ts: 'never' } });
  assert.equal((await sendTransaction(peer, edus([...bad, good]))).status, 200);
  assert.deepEqual(await receipts(alice, roomId), [`@mallory:peer.test ${later}`]);
  await sendTransaction(peer, edus([receipt(roomId, '@mallory:peer.test', eventId)]));
  assert.deepEqual(await receipts(alice, roomId), [`@mallory:peer.test ${later}`], 'it never moves backwards');
});

test('a receipt for an event that is not here yet counts, until one for a later event comes', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const before = await say(alice, roomId, 'before');
  for (const eventId of ['$unknown', '$more', before]) {
    await sendTransaction(peer, edus([receipt(roomId, '@mallory:peer.test', eventId)]));
  }
  assert.deepEqual(await receipts(alice, roomId), ['@mallory:peer.test $more']);
  const after = await say(alice, roomId, 'after');
  await sendTransaction(peer, edus([receipt(roomId, '@mallory:peer.test', after)]));
  assert.deepEqual(await receipts(alice, roomId), [`@mallory:peer.test ${after}`]);
});

test('of one EDU no more than a thousand receipts are taken, and of servers that a room denies none', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const eventId = await say(alice, roomId, 'hello');
  const entry = { data: { ts: 1 }, event_ids: [eventId] };
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`@m${index}:peer.test`, entry]));
  const content = { [roomId]: { 'm.read': { ...many, '@mallory:peer.test': entry } } };
  assert.equal((await sendTransaction(peer, edus([{ edu_type: 'm.receipt', content }]))).status, 200);
  assert.deepEqual(await receipts(alice, roomId), []);

  const acl = { allow: ['*'], deny: ['peer.test'] };
  assert.equal((await alice.put(pathOf(roomId, 'state/m.room.server_acl/'), acl)).status, 200);
  await sendTransaction(peer, edus([receipt(roomId, '@mallory:peer.test', eventId)]));
  assert.deepEqual(await receipts(alice, roomId), []);
  assert.equal((await alice.put(pathOf(roomId, 'state/m.room.server_acl/'), { allow: ['*'] })).status, 200);
  await sendTransaction(peer, edus([receipt(roomId, '@mallory:peer.test', eventId)]));
  assert.deepEqual(await receipts(alice, roomId), [`@mallory:peer.test ${eventId}`]);
});
