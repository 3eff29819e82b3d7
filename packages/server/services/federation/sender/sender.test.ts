import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, parseServerName, type ServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findRoomNid } from '@portico/storage/stores/rooms/rooms.ts';
import { readNews } from '@portico/storage/stores/federation/federation-outgoing.ts';
import { dropDeliveredEdus, queueEdus } from '@portico/storage/stores/federation/stored-edus.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { carol, deliver, newPdus, partition } from '@portico/testkit/partition.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { until } from '@portico/testkit/until.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { createBacklog } from './backlog.ts';
import { createOutbox } from './outbox.ts';
import { restless } from './rests.ts';
import { createSender } from './sender.ts';

const alice = { userId: '@alice:a', deviceId: 'A' };
const bob = { userId: '@bob:b', deviceId: 'B' };

/** A database that keeps the statements of the sender with their first parameter. */
function watched(db: Database): { readonly db: Database; readonly statements: { name: string; rooms: unknown }[] } {
  const statements: { name: string; rooms: unknown }[] = [];
  const all: Database['all'] = (statement, params) => {
    if (statement.name.startsWith('federation-outgoing.')) statements.push({ name: statement.name, rooms: params[0] });
    return db.all(statement, params);
  };
  return { db: Object.create(db, { all: { value: all } }) as Database, statements };
}

function nameOf(text: string): ServerName {
  const name = parseServerName(text);
  assert.ok(name);
  return name;
}

type SenderOptions = {
  readonly restAfter?: number | undefined;
  /** Servers that cannot be sent anything by a defect of ours. */
  readonly isDefective?: (host: string) => boolean;
};

/** The sender of the server `a`, and what it sends. */
function openSender(db: Database, { restAfter, isDefective }: SenderOptions = {}) {
  const transactions: string[][] = [];
  const errors: unknown[] = [];
  let wake = Promise.withResolvers<void>();
  const call = (_operation: unknown, host: string, { body }: { body: { text: string } }) => {
    if (isDefective?.(host) === true) return Promise.reject(new TypeError('a defect'));
    const { pdus } = parseJson(body.text) as unknown as { pdus: { content: { body?: string } }[] };
    transactions.push(pdus.map(({ content }) => String(content.body)));
    wake.resolve();
    return Promise.resolve({ pdus: {} });
  };
  const { db: watchedDb, statements } = watched(db);
  const sender = createSender({
    db: watchedDb,
    client: { call } as unknown as FederationClient,
    outbox: createOutbox(),
    serverName: nameOf('a'),
    process: 'only',
    isShared: false,
    log: {
      error: isDefective === undefined ? assert.fail : (error: unknown) => errors.push(error),
      warn: assert.fail,
      info: () => undefined,
    } as never,
    now: Date.now,
    random: Math.random,
    randomId: () => 'id',
    restAfter,
  });
  /** Until the other server has got an event. */
  async function arrives(body: string): Promise<void> {
    while (!transactions.flat().includes(body)) {
      wake = Promise.withResolvers();
      await wake.promise;
    }
  }
  return { sender, statements, transactions, errors, arrives };
}

async function open(db: Database, options: SenderOptions = {}) {
  const [a, b] = await Promise.all(['a', 'b'].map((serverName) => openTestRooms(db, { serverName })));
  assert.ok(a && b);
  const join = { reason: undefined, via: [] };
  let count = 0;
  const send = (roomId: string, body: string) => a.rooms.send(alice, roomId, 'm.room.message', `${count++}`, { body });
  const create = () => a.rooms.create(alice, { preset: 'public_chat' });
  return { ...openSender(db, options), send, create, join: (id: string) => b.rooms.join(bob, id, join) };
}

onBothEngines('rooms that no other server is in cost nothing, until one comes', async (db) => {
  const { sender, statements, send, arrives, create, join } = await open(db);
  const [own, shared] = [await create(), await create()];
  const nid = await findRoomNid(db, own);
  await join(shared);
  await send(own, 'before');
  await send(shared, 'first');
  await arrives('first');

  statements.length = 0;
  for (let index = 0; index < 5; index++) await send(own, 'alone');
  await send(shared, 'second');
  await arrives('second');
  assert.ok(statements.length > 0);
  const about = statements.filter(({ rooms }) =>
    String(rooms).replaceAll(/[[\]]/g, ' ').split(/[ ,]/).includes(`${nid}`),
  );
  assert.deepEqual(about, []);

  await join(own);
  await send(own, 'together');
  await arrives('together');
  await sender.close();
});

onBothEngines('what comes right after a few transactions goes together, a whole one at once', async (db) => {
  const { sender, transactions, send, arrives, create, join } = await open(db, { restAfter: 2 ** 31 - 1 });
  const room = await create();
  await join(room);
  await send(room, 'first');
  await arrives('first');
  transactions.length = 0;
  const bodies = Array.from({ length: 110 }, (_, index) => `event ${index}`);
  for (const body of bodies) await send(room, body);
  await arrives('event 60');
  const sizes = transactions.map(({ length }) => length);
  assert.ok(sizes.includes(50) && sizes.length <= restless + 4, `transactions of ${sizes.join(', ')} events`);
  await sender.close();
});

onBothEngines('servers that nothing can be sent to by a defect of ours keep no other from being tried', async (db) => {
  const { sender, errors } = openSender(db, { isDefective: () => true });
  // More than are seen to at a time.
  const hosts = Array.from({ length: 130 }, (_, index) => `defective-${index}`);
  const set = createWriteSet();
  queueEdus(set, alice.userId, hosts, [{ type: 'm.direct_to_device', content: '{}' }]);
  await db.commit(set);
  await until(() => sender.states().failing === hosts.length, 'all have been tried, and are left alone');
  assert.deepEqual(sender.states(), { waiting: 0, sending: 0, failing: hosts.length });
  assert.equal(errors.length, hosts.length);
  await sender.close();
});

onBothEngines('what a server that was behind is being sent is open until it has arrived', async (db) => {
  const { sender, send, create, join } = await open(db);
  await sender.close();
  const room = await create();
  await join(room);
  await send(room, 'while it was away');
  const parts = { db, outbox: createOutbox(), serverName: nameOf('a'), randomId: () => 'id' };
  const backlog = createBacklog(parts, nameOf('b'), false);
  const upTo = { position: 0, receipt_position: 0 };
  const row = { host: 'b', ...upTo, failures: 0, retry_at: 0, failing_since: 0, attempt: null, claimed_by: 'only' };
  const transaction = await backlog.next(row, false);
  assert.ok('attempt' in transaction);
  assert.ok(transaction.parts.pdus.some((pdu) => pdu.includes('while it was away')));
  assert.deepEqual(backlog.pending(), { events: true, receipts: true });
  backlog.delivered(transaction);
  assert.deepEqual(backlog.pending(), { events: false, receipts: false });
});

onBothEngines('no event is sent before, or together with, messages to devices from before it', async (db) => {
  const { sender, send, create, join } = await open(db);
  await sender.close();
  const room = await create();
  await join(room);
  const store = async (count: number): Promise<void> => {
    const set = createWriteSet();
    const edus = Array.from({ length: count }, () => ({ type: 'm.direct_to_device', content: '{}' }));
    queueEdus(set, alice.userId, ['b'], edus);
    await db.commit(set);
  };
  const parts = { db, outbox: createOutbox(), serverName: nameOf('a'), randomId: () => 'id' };
  const backlog = createBacklog(parts, nameOf('b'), false);
  let row = {
    host: 'b',
    position: 0,
    receipt_position: 0,
    failures: 0,
    retry_at: 0,
    failing_since: 0,
    attempt: null,
    claimed_by: 'only',
  };
  /** What is in the next transaction, which arrives: how many stored EDUs, and which messages. */
  async function next(): Promise<readonly [number, readonly string[]]> {
    const transaction = await backlog.next(row, false);
    assert.ok('attempt' in transaction);
    const { attempt, parts: sent, stored } = transaction;
    const set = createWriteSet();
    row = { ...row, position: attempt.events, receipt_position: attempt.receipts };
    dropDeliveredEdus(set, 'b', stored);
    await db.commit(set);
    backlog.delivered(transaction);
    const bodies = sent.pdus.flatMap((pdu) => (JSON.parse(pdu) as { content: { body?: string } }).content.body ?? []);
    return [stored.length, bodies];
  }
  await send(room, 'before');
  await store(60);
  await send(room, 'after 60');
  await store(45);
  await send(room, 'after all');
  assert.deepEqual(await next(), [50, ['before']]);
  assert.deepEqual(await next(), [50, []]);
  assert.deepEqual(await next(), [5, ['after 60']]);
  assert.deepEqual(await next(), [0, ['after all']]);

  // The same for what is offered, and waits in memory.
  await store(60);
  await send(room, 'offered');
  const after = row.position;
  const news = await readNews(db, 'a', [(await findRoomNid(db, room)) ?? 0], {
    after,
    upTo: db.currentPosition(),
    limit: 9,
  });
  backlog.offerStored();
  backlog.offer(news);
  assert.deepEqual(await next(), [50, []]);
  assert.deepEqual(await next(), [10, []]);
  assert.deepEqual(await next(), [0, ['offered']]);
});

test('events of other servers are no reason to look for what others are to have, unless they come and go', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const { sender, statements, arrives } = openSender(a.db);
  const send = (body: string) => a.rooms.send(alice, roomId, 'm.room.message', body, { body });
  await send('first');
  await arrives('first');

  const start = b.db.currentPosition();
  for (let index = 0; index < 3; index++) {
    await b.rooms.send(bob, roomId, 'm.room.message', `${index}`, { body: `${index}` });
  }
  await b.rooms.setState(bob, roomId, 'm.room.topic', '', { topic: 'new' });
  statements.length = 0;
  const outcomes = await deliver(await newPdus(b, roomId, start), a, roomId, '11');
  assert.deepEqual(new Set(outcomes), new Set(['accepted']));
  assert.deepEqual(statements, []);

  const leaving = b.db.currentPosition();
  await b.rooms.leave(carol, roomId, undefined);
  await deliver(await newPdus(b, roomId, leaving), a, roomId, '11');
  assert.ok(statements.some(({ name }) => name === 'federation-outgoing.news'));
  await send('second');
  await arrives('second');
  await sender.close();
});
