import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { onBothEngines } from '@portico/testkit';
import type { Database } from '../../database.ts';
import { migrateSqlite } from '../../engines/sqlite/migrate.ts';
import { toSqliteText } from '../../engines/sqlite/sql-text.ts';
import { migrations } from '../../migrations/index.ts';
import { statements } from '../../sql.ts';
import { createWriteSet } from '../../write-set.ts';
import { addAccount } from '../accounts/accounts-write.ts';
import { addDevice } from './devices.ts';
import type { QueueBounds } from '../federation/queue-bounds.ts';
import { dropDelivered, queueToDevice, readToDevice } from './to-device.ts';

const userId = '@alice:localhost';

async function addDevices(db: Database, deviceIds: readonly string[]): Promise<void> {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  for (const deviceId of deviceIds) addDevice(set, { userId, deviceId, name: undefined, createdAt: 0 });
  await db.commit(set);
}

const few: QueueBounds = { unshared: 3, most: 3 };

async function send(db: Database, to: readonly string[], n: number, sender = '@bob:localhost', bounds = few) {
  const set = createWriteSet();
  const messages = to.map((deviceId) => ({ userId, deviceId, content: `{"n":${n}}` }));
  queueToDevice(set, sender, 'm.test', messages, set.takePosition(), bounds);
  await db.commit(set);
}

const waiting = async (db: Database, deviceId: string) =>
  readToDevice(db, { userId, deviceId }, { position: -1, seq: 0 }, db.currentPosition(), 100);
const numbers = async (db: Database, deviceId: string) =>
  (await waiting(db, deviceId)).map(({ content }) => (JSON.parse(content) as { n: number }).n);

onBothEngines('a device that fetches nothing gets no more than its queue holds, until it fetches', async (db) => {
  await addDevices(db, ['A', 'B']);
  await send(db, ['B'], 0);
  for (let n = 1; n <= 4; n++) await send(db, ['*'], n);
  assert.deepEqual(await numbers(db, 'A'), [1, 2, 3]);
  assert.deepEqual(await numbers(db, 'B'), [0, 1, 2]);
  const [, second] = await waiting(db, 'A');
  assert.ok(second);
  const set = createWriteSet();
  dropDelivered(set, [{ userId, deviceId: 'A', ...second }]);
  await db.commit(set);
  for (let n = 5; n <= 8; n++) await send(db, ['A', 'B'], n);
  assert.deepEqual(await numbers(db, 'A'), [3, 5, 6]);
  assert.deepEqual(await numbers(db, 'B'), [0, 1, 2]);
  const all = createWriteSet();
  dropDelivered(all, [{ userId, deviceId: 'A', position: db.currentPosition(), seq: 100 }]);
  await db.commit(all);
  for (let n = 9; n <= 12; n++) await send(db, ['A'], n);
  assert.deepEqual(await numbers(db, 'A'), [9, 10, 11]);
});

onBothEngines('whoever sends the most leaves room in a queue for the others', async (db) => {
  await addDevices(db, ['A', 'B']);
  const bounds: QueueBounds = { unshared: 4, most: 40 };
  let n = 0;
  const flood = async (sender: string, count: number) => {
    for (let sent = 0; sent < count; sent++) await send(db, ['A'], n++, sender, bounds);
  };
  const kept = async () => {
    const senders = (await waiting(db, 'A')).map(({ sender }) => sender);
    return Object.fromEntries([...Map.groupBy(senders, (sender) => sender)].map(([name, all]) => [name, all.length]));
  };
  const [mallory, helper, alice, bob] = ['@mallory:evil', '@helper:evil', '@alice:good', '@bob:localhost'];
  await flood(mallory, 60);
  // Whoever it is gets in as long as few wait: 4, and of the rest as many as a third of what is left.
  assert.deepEqual(await kept(), { [mallory]: 16 });
  await flood(helper, 60);
  assert.deepEqual(await kept(), { [mallory]: 16, [helper]: 4 });
  await flood(alice, 2);
  await flood(helper, 60);
  await flood(bob, 60);
  assert.deepEqual(await kept(), { [mallory]: 16, [helper]: 4, [alice]: 2, [bob]: 6 });
  await flood(alice, 1);
  for (let person = 0; person < 60; person++) await flood(`@sybil${person}:evil`, 1);
  assert.deepEqual(await kept(), { [mallory]: 16, [helper]: 4, [alice]: 3, [bob]: 6 });
  const all = await waiting(db, 'A');
  assert.deepEqual(
    all.map(({ position }) => position),
    all.map(({ position }) => position).toSorted((a, b) => a - b),
  );

  // What is fetched makes room for whoever it was from.
  const tenth = all[9];
  assert.ok(tenth);
  const set = createWriteSet();
  dropDelivered(set, [{ userId, deviceId: 'A', ...tenth }]);
  await db.commit(set);
  await flood(mallory, 60);
  assert.deepEqual(await kept(), { [mallory]: 8, [helper]: 4, [alice]: 3, [bob]: 6 });
  // Another device of theirs has a queue of its own.
  await send(db, ['B'], 1, mallory, bounds);
  assert.deepEqual(await numbers(db, 'B'), [1]);
});

onBothEngines('a large message takes the room of several', async (db) => {
  await addDevices(db, ['A']);
  for (let n = 1; n <= 10; n++) {
    const set = createWriteSet();
    const content = JSON.stringify({ n, text: 'x'.repeat(9000) });
    const position = set.takePosition();
    queueToDevice(set, '@bob:x', 'm.test', [{ userId, deviceId: 'A', content }], position, { unshared: 7, most: 7 });
    await db.commit(set);
  }
  assert.deepEqual(await numbers(db, 'A'), [1, 2, 3]);
});

onBothEngines('what is for a device, and what is for all devices of the same person, come together', async (db) => {
  await addDevices(db, ['A', 'B']);
  for (let n = 1; n <= 3; n++) await send(db, ['A', '*'], n, '@bob:localhost', { unshared: 4, most: 4 });
  assert.deepEqual(await numbers(db, 'A'), [1, 1, 2, 2]);
  assert.deepEqual(await numbers(db, 'B'), [1, 2, 3]);
});

test('how much of a queue is from whom is found without reading the queue', () => {
  const sqlite = new DatabaseSync(':memory:');
  migrateSqlite(sqlite, migrations);
  const text = toSqliteText(statements.get('to-device.insert')?.text ?? '');
  const plan = sqlite
    .prepare(`explain query plan ${text}`)
    .all()
    .map((row) => String(row['detail']));
  for (const index of ['to_device_by_server', 'to_device_by_sender']) {
    assert.equal(plan.filter((step) => step.includes(`INDEX ${index} (user_id=? AND device_id=? AND s`)).length, 2);
  }
  sqlite.close();
});
