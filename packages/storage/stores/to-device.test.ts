import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import type { Database } from '../database.ts';
import { createWriteSet } from '../write-set.ts';
import { addAccount } from './accounts-write.ts';
import { addDevice } from './devices.ts';
import { dropDelivered, queueToDevice, readToDevice } from './to-device.ts';

const userId = '@alice:localhost';

async function addDevices(db: Database, deviceIds: readonly string[]): Promise<void> {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  for (const deviceId of deviceIds) addDevice(set, { userId, deviceId, name: undefined, createdAt: 0 });
  await db.commit(set);
}

async function send(db: Database, to: readonly string[], n: number): Promise<void> {
  const set = createWriteSet();
  const messages = to.map((deviceId) => ({ userId, deviceId, content: `{"n":${n}}` }));
  queueToDevice(set, '@bob:localhost', 'm.test', messages, set.takePosition(), 3);
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
  dropDelivered(set, { userId, deviceId: 'A' }, second);
  await db.commit(set);
  for (let n = 5; n <= 8; n++) await send(db, ['A', 'B'], n);
  assert.deepEqual(await numbers(db, 'A'), [3, 5, 6]);
  assert.deepEqual(await numbers(db, 'B'), [0, 1, 2]);
  const all = createWriteSet();
  dropDelivered(all, { userId, deviceId: 'A' }, { position: db.currentPosition(), seq: 100 });
  await db.commit(all);
  for (let n = 9; n <= 12; n++) await send(db, ['A'], n);
  assert.deepEqual(await numbers(db, 'A'), [9, 10, 11]);
});
