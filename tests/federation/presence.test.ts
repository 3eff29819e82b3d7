import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import { createRoom, join, say } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { edus, joinAs, sendTransaction } from './peer.ts';
import { meet, sync } from './people.ts';

const path = (userId: string) => `/_matrix/client/v3/presence/${encodeURIComponent(userId)}/status`;

async function set(who: TestClient, presence: string, status_msg?: string): Promise<void> {
  const { status, body } = await who.put(path(who.userId), { presence, ...(status_msg && { status_msg }) });
  assert.equal(status, 200, JSON.stringify(body));
}
async function configure(who: TestClient, content: object, type = 'm.presence_sharing_config'): Promise<void> {
  const { status } = await who.put(
    `/_matrix/client/v3/user/${encodeURIComponent(who.userId)}/account_data/${type}`,
    content,
  );
  assert.equal(status, 200);
}
async function see(by: TestClient, userId: string): Promise<string> {
  const { status, body } = await by.get(path(userId));
  if (status !== 200) return String(status);
  const { presence, status_msg: message } = body as { presence: string; status_msg?: string };
  return message === undefined ? presence : `${presence} ${message}`;
}
async function sees(by: TestClient, userId: string, what: string): Promise<void> {
  let last = '';
  await until(async () => {
    last = await see(by, userId);
    return last === what || undefined;
  }, `${by.userId} sees ${userId}: ${what}`).catch((error: unknown) => assert.equal(last, what, String(error)));
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`presence crosses servers, and ends with the settings and with the room (${engine})`, async (context) => {
    const { alice, bob, roomId } = await meet(context, engine);
    for (const [one, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await set(one, 'online', 'hello');
      await sees(other, one.userId, 'online hello');
      const { next_batch: since } = await sync(other);
      await set(one, 'unavailable');
      await sees(other, one.userId, 'unavailable');
      await configure(one, { denied_users: [other.userId] });
      await sees(other, one.userId, 'offline');
      const shown = (await sync(other, since))['presence'] as { events: { sender: string; content: object }[] };
      const last = shown.events.find(({ sender }) => sender === one.userId);
      assert.deepEqual(last?.content, { presence: 'offline' });
      await set(one, 'online', 'secret');
      await configure(one, { denied_users: [] });
      await sees(other, one.userId, 'online secret');
    }
    await bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/leave`, {});
    await sees(alice, bob.userId, '403');
    await sees(bob, alice.userId, '403');
  });
}

test('a newcomer from another server is shown who is online, and seen', async (context) => {
  const { network, alice, bob } = await meet(context);
  const carol = await network.server('hs2').registerUser('carol');
  const second = await createRoom(carol);
  await set(alice, 'online');
  await set(carol, 'online');
  await sees(bob, alice.userId, 'online');
  assert.equal(await see(carol, alice.userId), '403');
  await join(alice, second, 'hs2');
  await sees(carol, alice.userId, 'online');
  await sees(alice, carol.userId, 'online');
});

/** A server, one of its people in a room with two of another server, which does what the test wants. */
async function open(context: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const clock = createVirtualClock(Date.now());
  const network = await startTestNetwork(['hs1'], { settings, now: clock.now, after: clock.after });
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const pushes: JsonObject[] = [];
  let messages = 0;
  peer.on('PUT', '/_matrix/federation/v1/send', ({ body }) => {
    const { edus: list = [], pdus } = JSON.parse(body) as {
      edus?: { edu_type: string; content: JsonObject }[];
      pdus: { type: string }[];
    };
    messages += pdus.filter(({ type }) => type === 'm.room.message').length;
    for (const { edu_type: type, content } of list) {
      if (type === 'm.presence') pushes.push(...(content['push'] as JsonObject[]));
    }
    return { body: { pdus: {} } };
  });
  const alice = await network.server('hs1').registerUser('alice');
  const roomId = await createRoom(alice, { room_version: '10' });
  await joinAs(peer, encodeURIComponent(roomId), '@mallory:peer.test');
  await joinAs(peer, encodeURIComponent(roomId), '@nice:peer.test');
  /** Lets all that has been done be sent together, and waits for what comes of it; gives all since the last call. */
  async function pushed(isThere: (push: JsonObject, index: number) => boolean, what: string): Promise<unknown[]> {
    clock.pass(longestPause);
    await until(() => {
      clock.pass(20);
      return pushes.some(isThere);
    }, what);
    // What comes next is sent once the server knows that it has arrived, or it would say again whatever is over.
    const before = messages;
    await say(alice, roomId, 'hello');
    await until(() => messages > before, 'the next transaction');
    return pushes.splice(0).map(shape);
  }
  return {
    server: network.server('hs1'),
    peer,
    alice,
    roomId,
    pushed: (status: string) => pushed((push) => push['status_msg'] === status, `a push with ${status}`),
    pushedMany: (count: number) => pushed((_, index) => index === count - 1, `${count} pushes`),
  };
}

/** In milliseconds: by then a change has been told of, also when another one was told of just before it. */
const longestPause = 1300;

const shape = ({ presence, status_msg, allowed_recipients }: JsonObject) =>
  [presence, status_msg, allowed_recipients].filter((part) => part !== undefined);

test('what goes to another server is for whom it names', async (context) => {
  const { alice, pushed, pushedMany, roomId } = await open(context);
  await set(alice, 'online', 'one');
  assert.deepEqual(await pushed('one'), [['online', 'one']]);

  await configure(alice, { denied_users: ['@mallory:peer.test'] });
  await set(alice, 'online', 'two');
  assert.deepEqual(await pushed('two'), [['offline'], ['online', 'two', ['@nice:peer.test']]]);

  await configure(alice, { allowed_users: ['@m*:peer.test', '@x:elsewhere.test'], denied_users: [roomId] });
  await set(alice, 'online', 'three');
  assert.deepEqual(await pushed('three'), [
    ['offline', ['@nice:peer.test']],
    ['online', 'three', ['@m*:peer.test']],
  ]);

  const many = Array.from({ length: 300 }, (_, index) => `@p${String(index).padStart(3, '0')}:peer.test`);
  await configure(alice, { allowed_users: many, denied_users: ['*'] });
  await set(alice, 'online', 'four');
  assert.deepEqual(await pushed('four'), [
    ['offline', ['@m*:peer.test']],
    ['online', 'four', many.slice(0, 256)],
    ['online', 'four', many.slice(256)],
  ]);

  await configure(alice, { denied_users: ['*'] });
  assert.deepEqual(await pushedMany(2), [
    ['offline', many.slice(0, 256)],
    ['offline', many.slice(256)],
  ]);
  await set(alice, 'online', 'five');
  await configure(alice, { denied_users: [] });
  await set(alice, 'online', 'six');
  assert.deepEqual(await pushed('six'), [['online', 'six', ['@mallory:peer.test', '@nice:peer.test']]]);

  // Without a configuration there is no list.
  await configure(alice, {});
  await set(alice, 'online', 'seven');
  assert.deepEqual((await pushed('seven')).at(-1), ['online', 'seven']);
});

test('who is allowed by name is named beside a pattern, for they may share no room', async (context) => {
  const { alice, pushed } = await open(context);
  await configure(alice, { allowed_users: ['@s*:peer.test', '@stranger:peer.test'], denied_users: ['*'] });
  await set(alice, 'online', 'one');
  assert.deepEqual((await pushed('one')).at(-1), ['online', 'one', ['@s*:peer.test', '@stranger:peer.test']]);
});

test('a denied room is no reason, in however many rooms the person is', async (context) => {
  const { alice, pushed, peer, roomId } = await open(context);
  const second = await createRoom(alice, { room_version: '10' });
  await joinAs(peer, encodeURIComponent(second), '@nice:peer.test');
  await configure(alice, { denied_users: [roomId] });
  await set(alice, 'online', 'one');
  assert.deepEqual(await pushed('one'), [['online', 'one', ['@nice:peer.test']]]);
  await configure(alice, { allowed_users: [roomId], denied_users: [second] });
  await set(alice, 'online', 'two');
  assert.deepEqual((await pushed('two')).at(-1), ['online', 'two', ['@mallory:peer.test', '@nice:peer.test']]);
});

test('whoever is ignored is left out, also without a configuration', async (context) => {
  const { alice, pushed } = await open(context);
  await configure(alice, { ignored_users: { '@mallory:peer.test': {} } }, 'm.ignored_user_list');
  await set(alice, 'online', 'one');
  assert.deepEqual(await pushed('one'), [['online', 'one', ['@nice:peer.test']]]);
});

test('a server that does not know of lists gets what all there may see, where so configured', async (context) => {
  const { alice, pushed, peer } = await open(context, { PRIVACY_PRESENCE_UNAWARE_SERVERS: 'withhold' });
  await configure(alice, { denied_users: ['@mallory:peer.test'] });
  await set(alice, 'online', 'withheld');
  await configure(alice, { denied_users: ['@stranger:peer.test'] });
  await set(alice, 'online', 'for all');
  assert.deepEqual(await pushed('for all'), [['online', 'for all', ['@mallory:peer.test', '@nice:peer.test']]]);
  // It turns out to know of them.
  await tell(peer, [{ user_id: '@nice:peer.test', presence: 'online', allowed_recipients: [alice.userId] }]);
  await configure(alice, { denied_users: ['@mallory:peer.test'] });
  await set(alice, 'online', 'for one');
  assert.deepEqual((await pushed('for one')).at(-1), ['online', 'for one', ['@nice:peer.test']]);
});

test('overrides of the server hold for everyone', async (context) => {
  const overrides = JSON.stringify({ denied_users: ['@mallory:*'] });
  const { alice, pushed } = await open(context, { PRIVACY_PRESENCE_OVERRIDES: overrides });
  await configure(alice, { allowed_users: ['@*:peer.test', '@mallory:peer.test'] });
  await set(alice, 'online', 'one');
  assert.deepEqual(await pushed('one'), [['online', 'one', ['@nice:peer.test']]]);
});

async function tell(peer: FederationPeer, push: readonly object[]): Promise<void> {
  const { status } = await sendTransaction(peer, edus([{ edu_type: 'm.presence', content: { push } }]));
  assert.equal(status, 200);
}

test('a push is a message to its recipients', async (context) => {
  const { server, peer, alice } = await open(context);
  const carol = await server.registerUser('carol');
  const of = (presence: string, more: object = {}) => ({ user_id: '@nice:peer.test', presence, ...more });
  await tell(peer, [of('online', { status_msg: 'for all', last_active_ago: 1000, currently_active: true })]);
  assert.deepEqual(
    [await see(alice, '@nice:peer.test'), await see(carol, '@nice:peer.test')],
    ['online for all', '403'],
  );

  await tell(peer, [of('unavailable', { status_msg: 'for carol', allowed_recipients: [carol.userId] })]);
  assert.deepEqual(
    [await see(alice, '@nice:peer.test'), await see(carol, '@nice:peer.test')],
    ['online for all', 'unavailable for carol'],
  );
  await tell(peer, [of('online', { status_msg: 'glob', allowed_recipients: ['@*:hs1'] })]);
  assert.deepEqual(
    [await see(alice, '@nice:peer.test'), await see(carol, '@nice:peer.test')],
    ['online glob', 'unavailable for carol'],
  );
  for (const allowed of ['@alice:hs1', {}, [alice.userId, 1], [{}], 1, [[alice.userId]]]) {
    await tell(peer, [of('online', { status_msg: 'malformed', allowed_recipients: allowed })]);
    assert.equal(await see(alice, '@nice:peer.test'), 'online glob', JSON.stringify(allowed));
  }
  await tell(peer, [of('offline', { allowed_recipients: [carol.userId] })]);
  assert.deepEqual([await see(alice, '@nice:peer.test'), await see(carol, '@nice:peer.test')], ['online glob', '403']);
});

test('servers speak of their own people, and what is malformed changes nothing', async (context) => {
  const { server, peer, alice } = await open(context);
  const bob = await server.registerUser('bob');
  await set(bob, 'unavailable', 'own');
  const good = { user_id: '@nice:peer.test', presence: 'online', status_msg: 'good' };
  await tell(peer, [
    { user_id: bob.userId, presence: 'online' },
    { user_id: '@x:elsewhere.test', presence: 'online' },
    { user_id: 'nonsense', presence: 'online' },
    { user_id: ['@nice:peer.test'], presence: 'online' },
    { user_id: '@mallory:peer.test', presence: 'asleep' },
    { user_id: '@mallory:peer.test' },
    {},
    { ...good, status_msg: 'x'.repeat(5000), last_active_ago: -1, currently_active: 'yes' },
  ]);
  assert.equal(await see(alice, '@nice:peer.test'), 'online');
  assert.equal(await see(alice, '@mallory:peer.test'), 'offline');
  assert.equal(await see(bob, bob.userId), 'unavailable own');
  for (const content of [{ push: {} }, { push: null }, {}, { push: [null, 1, 'x', [good]] }]) {
    assert.equal((await sendTransaction(peer, edus([{ edu_type: 'm.presence', content }]))).status, 200);
  }
  await tell(peer, [good]);
  assert.equal(await see(alice, '@nice:peer.test'), 'online good');
  assert.deepEqual(server.errors, []);
});

test('ten thousand recipients, and entries that contradict each other, hold nothing up', async (context) => {
  const { server, peer, alice } = await open(context);
  const names = Array.from({ length: 9999 }, (_, index) => `@n${index}:hs1`);
  const push = Array.from({ length: 20 }, (_, index) => ({
    user_id: '@nice:peer.test',
    presence: index % 2 === 0 ? 'online' : 'unavailable',
    status_msg: `${index}`,
    allowed_recipients: [...names, alice.userId],
  }));
  await tell(peer, push);
  assert.equal(await see(alice, '@nice:peer.test'), 'unavailable 19');
  assert.deepEqual(server.errors, []);
});
