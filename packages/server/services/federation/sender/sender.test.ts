import assert from 'node:assert/strict';
import { parseJson, parseServerName, type ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findRoomNid } from '@portico/storage/stores/rooms.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
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

async function open(db: Database, restAfter?: number) {
  const [a, b] = await Promise.all(['a', 'b'].map((serverName) => openTestRooms(db, { serverName })));
  assert.ok(a && b);
  const transactions: string[][] = [];
  let wake = Promise.withResolvers<void>();
  const call = (_operation: unknown, _host: string, { body }: { body: { text: string } }) => {
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
    log: { error: assert.fail, warn: assert.fail, info: () => undefined } as never,
    now: Date.now,
    random: Math.random,
    randomId: () => 'id',
    restAfter,
  });
  const join = { reason: undefined, via: [] };
  let count = 0;
  const send = (roomId: string, body: string) => a.rooms.send(alice, roomId, 'm.room.message', `${count++}`, { body });
  /** Until the other server has got an event. */
  async function arrives(body: string): Promise<void> {
    while (!transactions.flat().includes(body)) {
      wake = Promise.withResolvers();
      await wake.promise;
    }
  }
  const create = () => a.rooms.create(alice, { preset: 'public_chat' });
  return { sender, statements, transactions, send, arrives, create, join: (id: string) => b.rooms.join(bob, id, join) };
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
  const { sender, transactions, send, arrives, create, join } = await open(db, 2 ** 31 - 1);
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
