import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '@portico/protocol';
import { newDeviceKeys, newIdentity } from '@portico/testkit/device-keys.ts';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import {
  answerDevices,
  device,
  devicesPath,
  keys,
  listed,
  listUpdate,
  mallory,
  openWithMallory,
  query,
  seen,
} from './mallory.ts';
import { edus, joinAs, sendTransaction } from './peer.ts';
import { sync } from './people.ts';

const keyUpdate = (content: JsonObject): JsonObject => ({ edu_type: 'm.signing_key_update', content });

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`of a list of devices only what is one is kept (${engine})`, { timeout: 60_000 }, async (context) => {
    const { server, peer, alice } = await openWithMallory(context, engine);
    const bob = await server.registerUser('bob');
    const good = device('GOOD');
    const forged = { ...device('FORGED'), keys: { 'ed25519:FORGED': 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' } };
    const { body: identity } = newIdentity(mallory);
    answerDevices(
      peer,
      [
        listed('GOOD', good),
        listed('GOOD', good),
        listed('BOB', device('BOB', bob.userId)),
        listed('OTHER', device('ANOTHER')),
        listed('FORGED', forged),
        listed('NUL\0', device('NUL\0')),
        listed('', device('')),
        listed('__proto__', { ...device('__proto__'), algorithms: 'all' }),
        listed('L'.repeat(300), device('L'.repeat(300))),
        listed('LARGE', { ...device('LARGE'), padding: 'x'.repeat(20_000) }),
        { device_id: 'NONE' },
        { device_id: 5, keys: good },
        { device_id: 'LIST', keys: [] },
        { ...listed('NAMED'), device_display_name: 'n'.repeat(5000) },
        {},
      ],
      {
        master_key: newIdentity(bob.userId).body.master_key,
        self_signing_key: { ...identity.self_signing_key, usage: ['master'] },
      },
    );
    for (let time = 0; time < 2; time++) {
      const answer = await query(alice);
      assert.deepEqual(seen(answer), ['GOOD', 'NAMED']);
      assert.deepEqual(answer.device_keys[mallory]?.['GOOD'], { ...good, unsigned: {} });
      assert.deepEqual([answer.master_keys, answer.self_signing_keys, answer.failures], [{}, {}, {}]);
    }
    assert.deepEqual(
      seen(await query(alice, [bob.userId]), bob.userId),
      [],
      'nothing is said of people of this server',
    );
    assert.deepEqual(server.errors, []);
  });

  test(
    `an update changes what its origin may say, and nothing else (${engine})`,
    { timeout: 60_000 },
    async (context) => {
      const { server, peer, alice, fetches } = await openWithMallory(context, engine);
      answerDevices(peer, [listed('A')]);
      assert.deepEqual(seen(await query(alice)), ['A']);
      const own = newDeviceKeys(alice);
      assert.equal((await alice.post(`${keys}/upload`, { device_keys: own })).status, 200);
      const since = (await sync(alice)).next_batch;
      const forged = newIdentity(alice.userId).body;
      const bad = [
        listUpdate({ user_id: alice.userId, device_id: alice.deviceId, keys: device(alice.deviceId, alice.userId) }),
        listUpdate({ user_id: alice.userId, device_id: alice.deviceId, deleted: true }),
        listUpdate({ user_id: '@eve:elsewhere.test' }),
        listUpdate({ user_id: '@stranger:peer.test' }),
        listUpdate({ user_id: 5 }),
        listUpdate({ user_id: [mallory] }),
        listUpdate({ device_id: 'NUL\0' }),
        listUpdate({ device_id: { a: 1 } }),
        listUpdate({ device_id: 'D'.repeat(300) }),
        listUpdate({ stream_id: '2' }),
        listUpdate({ stream_id: -1 }),
        listUpdate({ prev_id: 'all' }),
        listUpdate({ prev_id: [{}] }),
        keyUpdate({ user_id: alice.userId, ...forged }),
        keyUpdate({ user_id: '@eve:elsewhere.test', master_key: newIdentity('@eve:elsewhere.test').body.master_key }),
        keyUpdate({ user_id: {} }),
        keyUpdate({}),
      ];
      assert.equal((await sendTransaction(peer, edus(bad))).status, 200);
      const lists = (await sync(alice, since))['device_lists'];
      assert.equal(lists, undefined, 'nobody is told anything');
      const mine = await query(alice, [alice.userId]);
      assert.deepEqual(mine.device_keys[alice.userId]?.[alice.deviceId], { ...own, unsigned: {} });
      assert.deepEqual(mine.master_keys, {});
      assert.deepEqual(seen(await query(alice)), ['A']);
      assert.equal(fetches(), 1, 'and nothing is asked for');
      // What is right still comes through, a device with wrong keys is none, and a wrong identity is not taken.
      const right = listUpdate({ device_id: 'B', keys: device('B') });
      const wrong = listUpdate({ device_id: 'C', keys: device('C', alice.userId), stream_id: 3, prev_id: [2] });
      assert.equal((await sendTransaction(peer, edus([right, wrong]))).status, 200);
      assert.deepEqual(seen(await query(alice)), ['A', 'B']);
      assert.equal(fetches(), 1);
      const { body: real } = newIdentity(mallory);
      const update = keyUpdate({
        user_id: mallory,
        master_key: real.master_key,
        self_signing_key: forged.self_signing_key,
      });
      assert.equal((await sendTransaction(peer, edus([update]))).status, 200);
      const after = await query(alice);
      assert.deepEqual([after.master_keys, after.self_signing_keys], [{}, {}]);
      assert.equal(fetches(), 2, 'the server is asked instead');
      assert.deepEqual(server.errors, []);
    },
  );
}

test(
  'gaps without number lead to no request until somebody asks, and then to one',
  { timeout: 60_000 },
  async (context) => {
    const { server, peer, alice, fetches } = await openWithMallory(context);
    answerDevices(peer, [listed('A')]);
    await query(alice);
    for (let round = 0; round < 3; round++) {
      const gaps = Array.from({ length: 100 }, (_, n) => {
        const id = 1000 * (100 * round + n + 1);
        return listUpdate({ stream_id: id, prev_id: [id - 1] });
      });
      assert.equal((await sendTransaction(peer, edus(gaps))).status, 200);
    }
    assert.equal(fetches(), 1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => query(alice)));
    for (const answer of answers) assert.deepEqual(seen(answer), ['A']);
    assert.equal(fetches(), 2);
    assert.deepEqual(server.errors, []);
  },
);

test(
  '10,000 devices of one person are shown as none, and do not stand in the way of others',
  { timeout: 120_000 },
  async (context) => {
    const { server, peer, alice, path } = await openWithMallory(context);
    const others = ['@one:peer.test', '@two:peer.test', '@three:peer.test'];
    for (const userId of others) await joinAs(peer, path, userId);
    const small = { keys: {}, algorithms: [], signatures: {} };
    const many = Array.from(
      { length: 10_000 },
      (_, n) => [`D${n}`, { ...small, user_id: mallory, device_id: `D${n}` }] as const,
    );
    answerDevices(
      peer,
      many.map(([id, own]) => listed(id, own)),
    );
    const answer = await query(alice);
    assert.deepEqual([seen(answer), answer.failures], [[], {}]);
    assert.deepEqual(seen(await query(alice)), [], 'nor later');

    peer.on('POST', '/_matrix/federation/v1/user/keys/query', ({ body }) => {
      const { device_keys: wanted } = JSON.parse(body) as { device_keys: Record<string, string[]> };
      const of = (userId: string): JsonObject =>
        userId === mallory ? Object.fromEntries(many) : { X: device('X', userId) };
      return { body: { device_keys: Object.fromEntries(Object.keys(wanted).map((userId) => [userId, of(userId)])) } };
    });
    await sendTransaction(peer, edus([listUpdate({ stream_id: 9, prev_id: [8] })]));
    const all = await query(alice, [mallory, ...others]);
    assert.deepEqual(
      [mallory, ...others].map((userId) => seen(all, userId)),
      [[], ['X'], ['X'], ['X']],
    );
    assert.deepEqual(server.errors, []);
  },
);

test('updates that add devices without end make the list old', { timeout: 120_000 }, async (context) => {
  const { server, peer, alice, fetches } = await openWithMallory(context);
  answerDevices(
    peer,
    Array.from({ length: 998 }, (_, n) => listed(`D${n}`)),
  );
  assert.equal(seen(await query(alice)).length, 998);
  const more = (n: number) =>
    listUpdate({ device_id: `E${n}`, keys: device(`E${n}`), stream_id: 2 + n, prev_id: [1 + n] });
  assert.equal((await sendTransaction(peer, edus(Array.from({ length: 20 }, (_, n) => more(n))))).status, 200);
  assert.equal(fetches(), 1);
  answerDevices(
    peer,
    Array.from({ length: 1018 }, (_, n) => listed(`D${n}`, { ...device(`D${n}`) })),
  );
  assert.deepEqual(seen(await query(alice)), []);
  assert.equal(fetches(), 2);
  assert.deepEqual(server.errors, []);
});

test(
  'answers that are no answers are failures, and old keys pass for no answer',
  { timeout: 60_000 },
  async (context) => {
    const { server, peer, alice, path } = await openWithMallory(context);
    await joinAs(peer, path, '@other:peer.test');
    answerDevices(peer, [listed('A')]);
    assert.deepEqual(seen(await query(alice)), ['A']);
    const wrong: JsonValue[] = [
      { user_id: alice.userId, stream_id: 5, devices: [] },
      { user_id: mallory, stream_id: 'x', devices: [] },
      { user_id: mallory, stream_id: 5, devices: {} },
      [],
      'no JSON {',
      { user_id: mallory, stream_id: 5, devices: [], padding: 'x'.repeat(3_000_000) },
    ];
    let id = 10;
    for (const body of wrong) {
      peer.on('GET', devicesPath, () => ({ body }));
      id += 10;
      await sendTransaction(peer, edus([listUpdate({ stream_id: id, prev_id: [id - 1] })]));
      const answer = await query(alice);
      // Who is given somebody's keys does not ask again before there is news.
      assert.deepEqual([Object.keys(answer.device_keys), Object.keys(answer.failures)], [[], ['peer.test']]);
    }
    assert.deepEqual(server.errors, []);
  },
);

test(
  'where the keys of many are more than an answer may hold, each is asked for alone',
  { timeout: 60_000 },
  async (context) => {
    const { server, peer, alice, path } = await openWithMallory(context);
    const others = ['a', 'b', 'c', 'd'].map((name) => `@${name}:peer.test`);
    for (const userId of others) await joinAs(peer, path, userId);
    const asked: string[][] = [];
    peer.on('POST', '/_matrix/federation/v1/user/keys/query', ({ body }) => {
      const users = Object.keys((JSON.parse(body) as { device_keys: object }).device_keys);
      asked.push(users);
      const heap = users.includes(mallory) ? { padding: 'x'.repeat(5_000_000) } : {};
      return {
        body: { device_keys: Object.fromEntries(users.map((user) => [user, { A: device('A', user) }])), ...heap },
      };
    });
    const answer = await query(alice, [mallory, ...others]);
    for (const userId of others) assert.deepEqual(seen(answer, userId), ['A'], userId);
    assert.deepEqual(seen(answer), []);
    assert.deepEqual(Object.keys(answer.failures), ['peer.test']);
    assert.equal(asked.length, 6, 'all together, then each once');
    assert.deepEqual(server.errors, []);
  },
);

test('what is kept of other servers’ people is told to no third server', { timeout: 60_000 }, async (context) => {
  const { network, peer, alice } = await openWithMallory(context);
  const { body: identity } = newIdentity(mallory);
  answerDevices(peer, [listed('A')], { master_key: identity.master_key });
  assert.deepEqual(seen(await query(alice)), ['A'], 'it is kept here');
  assert.equal((await alice.post(`${keys}/upload`, { device_keys: newDeviceKeys(alice) })).status, 200);
  const third = await openPeer(context, network, 'third.test');
  for (const asking of [third, peer]) {
    const { status } = await asking.send('hs1', 'GET', `${devicesPath}${encodeURIComponent(mallory)}`);
    assert.equal(status, 404);
    const content = { device_keys: { [mallory]: [], [alice.userId]: [] } };
    const answer = await asking.send('hs1', 'POST', '/_matrix/federation/v1/user/keys/query', { content });
    const { device_keys: devices, master_keys: masters } = answer.body as Record<string, object>;
    assert.deepEqual(
      [devices, masters].map((keyed) => Object.keys(keyed ?? {})),
      [[alice.userId], []],
    );
  }
});

test('keys of one person that are more than a megabyte are none', { timeout: 60_000 }, async (context) => {
  const { server, peer, alice } = await openWithMallory(context);
  // Each is as large as one may be, and all of them fit into an answer.
  const padding = 'x'.repeat(15_000);
  const large = (n: number) =>
    listed(`D${n}`, { user_id: mallory, device_id: `D${n}`, algorithms: [], keys: {}, signatures: {}, padding });
  const give = (count: number) =>
    answerDevices(
      peer,
      Array.from({ length: count }, (_, n) => large(n)),
    );
  give(10);
  assert.equal(seen(await query(alice)).length, 10);
  give(75);
  await sendTransaction(peer, edus([listUpdate({ stream_id: 9, prev_id: [8] })]));
  const answer = await query(alice);
  assert.deepEqual([seen(answer), answer.failures], [[], {}]);
  assert.deepEqual(server.errors, []);
});
