import assert from 'node:assert/strict';
import { parseJson, parseServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { queueEdus } from '@portico/storage/stores/federation/stored-edus.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { until } from '@portico/testkit/until.ts';
import { FederationError, type Refusal } from '../client/federation-error.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { createOutbox } from './outbox.ts';
import { createSender } from './sender.ts';

const hour = 60 * 60_000;
const own = parseServerName('a');
const names = Array.from({ length: 300 }, (_, index) => `invented${index}.test`);

type Content = { readonly n?: number; readonly body?: string };
type Body = { readonly pdus: readonly { content: Content }[]; readonly edus: readonly { content: Content }[] };

/** In half an hour. */
const unwilling: Refusal = { status: 503, errcode: undefined, error: undefined, body: {}, retryAfter: hour / 2 };

/** The other servers: none of them can be reached but those that are up. They take the same transaction once. */
function openOthers() {
  const up = new Set<string>();
  /** Those that are not up hang, and those that are after so many answers. */
  const hanging = { until: undefined as Promise<void> | undefined, after: Infinity };
  const got = new Map<string, number[]>();
  const taken = new Set<string>();
  const perHost = new Map<string, number>();
  const calls = { all: 0, now: 0, most: 0, of: (host: string) => perHost.get(host) ?? 0 };
  const call = async (
    _: unknown,
    host: string,
    { params, body }: { params: { txnId: string }; body: { text: string } },
  ) => {
    calls.all++;
    calls.most = Math.max(calls.most, ++calls.now);
    await new Promise(setImmediate);
    if (!up.has(host) || calls.of(host) >= hanging.after) await hanging.until;
    calls.now--;
    perHost.set(host, (perHost.get(host) ?? 0) + 1);
    if (!up.has(host)) throw new FederationError('refused', 'Not now', { refusal: unwilling });
    const id = `${host} ${params.txnId}`;
    if (taken.has(id)) return { pdus: {} };
    taken.add(id);
    const { pdus, edus } = parseJson(body.text) as unknown as Body;
    const numbers = [
      ...pdus.map(({ content }) => Number(content.body)),
      ...edus.map(({ content }) => Number(content.n)),
    ];
    got.set(host, [...(got.get(host) ?? []), ...numbers.filter((n) => !Number.isNaN(n))]);
    return { pdus: {} };
  };
  return { up, hanging, got, calls, client: { call } as unknown as FederationClient };
}

type Others = ReturnType<typeof openOthers>;

function openSender(db: Database, others: Others, clock: { at: number }, process = 'only') {
  assert.ok(own);
  const outbox = createOutbox();
  let rowsRead = 0;
  const get: Database['get'] = (statement, params) => {
    if (statement.name === 'federation-destinations.get') rowsRead++;
    return db.get(statement, params);
  };
  let isDead = false;
  const commit: Database['commit'] = (set) => (isDead ? Promise.reject(new Error('it is dead')) : db.commit(set));
  const complain = (...said: unknown[]): void => assert.ok(isDead, String(said[1]));
  const sender = createSender({
    db: Object.create(db, { get: { value: get }, commit: { value: commit } }) as Database,
    client: others.client,
    outbox,
    serverName: own,
    process,
    isShared: process !== 'only',
    log: { error: complain, warn: complain, info: () => undefined } as never,
    now: () => clock.at,
    random: () => 0.5,
    randomId: () => 'id',
  });
  return { ...sender, outbox, rowsRead: () => rowsRead, die: () => void (isDead = true) };
}

async function store(db: Database, hosts: readonly string[], ...numbers: readonly number[]): Promise<void> {
  const set = createWriteSet();
  const edus = numbers.map((n) => ({ type: 'm.direct_to_device', content: JSON.stringify({ n }) }));
  queueEdus(set, '@alice:a', hosts, edus);
  await db.commit(set);
}

const fail = (sender: ReturnType<typeof openSender>, count: number) =>
  until(() => {
    const { failing, sending, waiting } = sender.states();
    return failing === count && sending + waiting === 0;
  }, `${count} servers are left alone`);

const all = (others: Others, hosts: readonly string[], numbers: readonly number[]) =>
  until(() => hosts.every((host) => String(others.got.get(host)) === String(numbers)), `they got ${numbers.join()}`);

onBothEngines(
  'of servers that cannot be reached little is kept, and they get all in its order when they are back',
  async (db) => {
    const others = openOthers();
    const clock = { at: 1e12 };
    const sender = openSender(db, others, clock);
    await store(db, names, 1);
    await store(db, names, 2);
    await fail(sender, names.length);
    assert.ok(others.calls.most <= 20, `${others.calls.most} at a time`);
    const before = { calls: others.calls.all, rows: sender.rowsRead() };
    await store(db, names, 3);
    const typing = { key: 'm.typing', type: 'm.typing', content: {}, urgent: true, lasting: false };
    sender.outbox.put(names, typing);
    assert.equal(sender.outbox.size, 0);
    assert.deepEqual({ calls: others.calls.all, rows: sender.rowsRead() }, before, 'nobody looks at them');

    // One of them says something.
    const [first = '', ...rest] = names;
    others.up.add(first);
    sender.heardOf(first);
    await all(others, [first], [1, 2, 3]);
    await fail(sender, rest.length);
    sender.heardOf('another.test');
    await sender.close();

    // After a restart nothing is done for each.
    const restarted = openSender(db, others, clock);
    await fail(restarted, rest.length);
    await store(db, names, 4);
    await all(others, [first], [1, 2, 3, 4]);
    assert.equal(restarted.rowsRead(), 1, 'of the one that answers');
    assert.equal(others.got.size, 1);

    for (const name of rest) others.up.add(name);
    clock.at += hour;
    await all(others, rest, [1, 2, 3, 4]);
    await fail(restarted, 0);
    await store(db, names, 5);
    await all(others, names, [1, 2, 3, 4, 5]);
    await restarted.close();
  },
);

onBothEngines('a server that was out of reach gets the events of its rooms when it says something', async (db) => {
  const others = openOthers();
  const clock = { at: 1e12 };
  const sender = openSender(db, others, clock);
  const [a, b] = await Promise.all(['a', 'b.test'].map((serverName) => openTestRooms(db, { serverName })));
  assert.ok(a && b);
  const alice = { userId: '@alice:a', deviceId: 'A' };
  const roomId = await a.rooms.create(alice, { preset: 'public_chat' });
  await b.rooms.join({ userId: '@bob:b.test', deviceId: 'B' }, roomId, { reason: undefined, via: [] });
  const send = (n: number) => a.rooms.send(alice, roomId, 'm.room.message', `${n}`, { body: `${n}` });
  await send(1);
  await fail(sender, 1);
  const rows = sender.rowsRead();
  const later = Array.from({ length: 59 }, (_, index) => index + 2);
  for (const n of later) await send(n);
  assert.equal(sender.rowsRead(), rows);
  others.up.add('b.test');
  sender.heardOf('b.test');
  await all(others, ['b.test'], [1, ...later]);
  await send(61);
  await all(others, ['b.test'], [1, ...later, 61]);
  await sender.close();
});

onBothEngines('servers of rooms are asked again however many others hang, and so are new ones', async (db) => {
  const others = openOthers();
  const clock = { at: 1e12 };
  const before = openSender(db, others, clock);
  const [a, b] = await Promise.all(['a', 'b.test'].map((serverName) => openTestRooms(db, { serverName })));
  assert.ok(a && b);
  const alice = { userId: '@alice:a', deviceId: 'A' };
  await store(db, names, 1);
  await fail(before, names.length);
  // It is due after all of them.
  clock.at += 1000;
  const roomId = await a.rooms.create(alice, { preset: 'public_chat' });
  await b.rooms.join({ userId: '@bob:b.test', deviceId: 'B' }, roomId, { reason: undefined, via: [] });
  await a.rooms.send(alice, roomId, 'm.room.message', '2', { body: '2' });
  await fail(before, names.length + 1);
  await before.close();

  const released = Promise.withResolvers<void>();
  others.hanging.until = released.promise;
  others.up.add('b.test');
  others.up.add('new.test');
  clock.at += hour;
  const sender = openSender(db, others, clock);
  await all(others, ['b.test'], [2]);
  await store(db, ['new.test'], 3);
  await all(others, ['new.test'], [3]);
  await until(() => others.calls.now === 20, 'so many of the others hang');
  const { failing, sending } = sender.states();
  assert.equal(failing + sending, names.length);
  released.resolve();
  await sender.close();
});

onBothEngines('a server is tried however long others, that have answered, take for the rest', async (db) => {
  const others = openOthers();
  const sender = openSender(db, others, { at: 1e12 });
  const released = Promise.withResolvers<void>();
  others.hanging.until = released.promise;
  others.hanging.after = 1;
  // More of them than are tried at a time, and more for each than goes into a transaction.
  const some = names.slice(0, 30);
  for (const name of some) others.up.add(name);
  const numbers = Array.from({ length: 60 }, (_, index) => index);
  await store(db, some, ...numbers);
  await all(others, some, numbers.slice(0, 50));
  released.resolve();
  await all(others, some, numbers);
  await fail(sender, 0);
  await sender.close();
});

onBothEngines("servers that a process could not reach are another one's when it is gone", async (db) => {
  const others = openOthers();
  const clock = { at: 1e12 };
  const some = names.slice(0, 20);
  const first = openSender(db, others, clock, 'first');
  await store(db, some, 1);
  await fail(first, some.length);
  await store(db, some, 2);
  first.die();
  const second = openSender(db, others, clock, 'second');
  clock.at += hour;
  for (const name of some) others.up.add(name);
  await all(others, some, [1, 2]);
  await fail(second, 0);
  await second.close();
  await assert.rejects(first.close(), /it is dead/);
});
