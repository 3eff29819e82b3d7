import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { edus, openWithPeer, sendTransaction } from './peer.ts';
import { meet, sync } from './people.ts';

let transactions = 0;
async function send(by: TestClient, messages: object): Promise<number> {
  return (await by.put(`/_matrix/client/v3/sendToDevice/m.test/${transactions++}`, { messages })).status;
}

type ToDevice = { to_device?: { events: { sender: string; type: string; content: Record<string, unknown> }[] } };

/** All messages that a device gets, from the first to the one that says `last`. */
async function inbox(client: TestClient, last: unknown): Promise<ToDevice['to_device'] & object> {
  const events: (ToDevice['to_device'] & object)['events'] = [];
  let since: string | undefined;
  return until(async () => {
    const answer = await sync(client, since);
    since = answer.next_batch;
    events.push(...((answer as ToDevice).to_device?.events ?? []));
    return events.some(({ content }) => content['n'] === last) ? { events } : undefined;
  }, 'the last message is there');
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`messages to devices arrive once and in order, through an outage and a restart (${engine})`, async (context) => {
    const { network, alice, bob } = await meet(context, engine);
    const to = (deviceId: string, n: number) => ({ [bob.userId]: { [deviceId]: { n } } });
    assert.equal(await send(alice, to(bob.deviceId, 0)), 200);
    await inbox(bob, 0);
    network.cut('hs1', 'hs2');
    for (let n = 1; n < 130; n++) assert.equal(await send(alice, to('*', n)), 200);
    await network.stop('hs1');
    network.healAll();
    await network.start('hs1');
    const { events } = await inbox(bob, 129);
    assert.deepEqual(
      events.map(({ content }) => content['n']).filter((n) => n !== 0),
      Array.from({ length: 129 }, (_, index) => index + 1),
    );
    assert.deepEqual([events[0]?.sender, events[0]?.type], [alice.userId, 'm.test']);
  });
}

test('what is too much for one EDU, or cannot be signed, is divided or refused', async (context) => {
  const { alice, bob } = await meet(context);
  const text = 'x'.repeat(40_000);
  const devices = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`D${n}`, { text }]));
  assert.equal(await send(alice, { [bob.userId]: { ...devices, [bob.deviceId]: { n: 1, text } } }), 200);
  const { events } = await inbox(bob, 1);
  assert.equal(events.length, 1);
  assert.equal(await send(alice, { [bob.userId]: { '*': { text: 'x'.repeat(70_000) } } }), 413);
  assert.equal(await send(alice, { [bob.userId]: { '*': { n: 1.5 } } }), 400);
  assert.equal(await send(alice, { '@nobody:not a server': { '*': { n: 2 } }, [bob.userId]: { '*': { n: 3 } } }), 200);
  assert.equal((await inbox(bob, 3)).events.at(-1)?.content['n'], 3);
});

test('a message, or an event, that nests as deep as it may takes nothing along that comes with it', async (context) => {
  const { network, alice, bob, roomId } = await meet(context, 'sqlite');
  const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.test/deep`;
  network.cut('hs1', 'hs2');
  const since = (await sync(bob)).next_batch;
  // So that all of it comes in one transaction.
  assert.equal(await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 1 } } }), 200);
  assert.equal((await alice.put(path, { deep: nested(98) })).status, 200);
  assert.equal(await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 2, deep: nested(96) } } }), 200);
  assert.equal(await send(alice, { [bob.userId]: { [bob.deviceId]: { n: 3 } } }), 200);
  network.healAll();
  const { events } = await inbox(bob, 3);
  assert.deepEqual(
    events.map(({ content }) => content['n']),
    [1, 2, 3],
  );
  await until(async () => {
    const { rooms } = await sync(bob, since);
    return rooms?.join?.[roomId]?.timeline.events.find(({ type }) => type === 'm.test');
  }, 'the event is there, too');
});

test('messages for thousands of servers that nobody knows leave room for what others write', async (context) => {
  const { server, alice } = await openWithPeer(context);
  const bob = await server.registerUser('bob');
  const to = (count: number, from: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`@a:s${from + n}.invalid`, { A: { n } }]));
  assert.equal(await send(alice, to(1001, 0)), 413);
  const floods = Array.from({ length: 6 }, (_, n) => send(alice, to(1000, 1000 * n)));
  const others = Array.from({ length: 20 }, (_, n) => send(bob, { [alice.userId]: { [alice.deviceId]: { n } } }));
  assert.deepEqual(new Set(await Promise.all([...floods, ...others])), new Set([200]));
  const { events } = await inbox(alice, 19);
  assert.equal(events.length, 20);
  const people = Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`@a${n}:hs1`, {}]));
  assert.equal(await send(alice, people), 413);
  assert.deepEqual(server.errors, []);
});

test('a message of another server is taken once, from its own people, to those of this server', async (context) => {
  const { peer, alice } = await openWithPeer(context);
  const message = (id: unknown, n: number, over: object = {}) => ({
    edu_type: 'm.direct_to_device',
    content: {
      message_id: id,
      type: 'm.test',
      sender: '@mallory:peer.test',
      messages: { [alice.userId]: { '*': { n } } },
      ...over,
    },
  });
  await sendTransaction(
    peer,
    edus([
      message('a', 1),
      message('a', 2),
      message('b', 3, { sender: '@bob:elsewhere.test' }),
      message('c', 4, { sender: alice.userId }),
      message('d', 5, { messages: { [alice.userId]: { '*': 'no object', [alice.deviceId]: { n: 6 } } } }),
      message('e', 7, { messages: { [alice.userId]: 'no object', '@bob:peer.test': { '*': { n: 8 } } } }),
      message('f', 9, { messages: [] }),
      message('g', 10, { type: 7 }),
      message(7, 11),
      message('h'.repeat(256), 12),
      message('i', 13, { messages: { [alice.userId]: { '*': { text: 'x'.repeat(70_000) } } } }),
    ]),
    'first',
  );
  await sendTransaction(peer, edus([message('a', 14), message('j', 15)]), 'second');
  await sendTransaction(peer, edus([message('k', 16)]), 'second');
  await sendTransaction(peer, edus([message('l', 17)]), 'third');
  const { events } = await inbox(alice, 17);
  assert.deepEqual(
    events.map(({ content }) => content['n']),
    [1, 6, 15, 17],
  );
});

test('a server that floods a device that is away does not crowd out what others send', async (context) => {
  const { peer, server, alice } = await openWithPeer(context);
  const bob = await server.registerUser('bob');
  const text = 'x'.repeat(30_000);
  for (let batch = 0; batch < 12; batch++) {
    const flood = Array.from({ length: 100 }, (_, n) => ({
      edu_type: 'm.direct_to_device',
      content: {
        message_id: `${batch}-${n}`,
        type: 'm.junk',
        sender: `@sybil${n}:peer.test`,
        messages: { [alice.userId]: { '*': { text } } },
      },
    }));
    assert.equal((await sendTransaction(peer, edus(flood))).status, 200);
  }
  for (let n = 1; n <= 3; n++) assert.equal(await send(bob, { [alice.userId]: { [alice.deviceId]: { n } } }), 200);
  const { events } = await inbox(alice, 3);
  assert.deepEqual(
    events.filter(({ sender }) => sender === bob.userId).map(({ content }) => content['n']),
    [1, 2, 3],
  );
  // Half of what there is room for, in pieces of 4 KiB: each of these messages has eight.
  const junk = events.filter(({ type }) => type === 'm.junk').length;
  assert.ok(junk > 600 && junk < 750, `${junk}`);
});
