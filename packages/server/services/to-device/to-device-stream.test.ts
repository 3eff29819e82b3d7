import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultFilter } from '@portico/protocol/sync-filter/filter.ts';
import { type CommittedChanges, createWriteSet, type Database } from '@portico/storage';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { addDevice } from '@portico/storage/stores/devices/devices.ts';
import { readToDevice } from '@portico/storage/stores/devices/to-device.ts';
import { createTestDatabase, openFor } from '@portico/testkit';
import { createToDevice } from './to-device.ts';
import { createToDeviceStream } from './to-device-stream.ts';

const device = { userId: '@alice:localhost', deviceId: 'PHONE' };

/** What one of several processes does for the device. */
function createProcess(db: Database) {
  const stream = createToDeviceStream({ db, onFailure: (error) => assert.fail(String(error)) });
  return {
    db,
    close: () => stream.close(),
    /** A sync with the token of the last one, if there was one: gives what the messages say, and the next token. */
    async sync(since: number | undefined, upTo: number) {
      if (since !== undefined) stream.acknowledged?.({ ...device, since, serial: undefined });
      const none = {
        rooms: new Map(),
        newRooms: new Set<number>(),
        allRooms: () => new Map<number, string>(),
        mayConcernUser: true,
      };
      const request = { ...device, reader: db, filter: defaultFilter, serial: undefined, ...none };
      const { fields } = await stream.read({ ...request, since, upTo });
      const { events } = JSON.parse(fields?.get('to_device') ?? '{"events":[]}') as {
        events: { content: { n: number } }[];
      };
      return events.map(({ content }) => content.n);
    },
  };
}

test('what one process hands out and another is told of is gone for both', { timeout: 60_000 }, async (context) => {
  const url = await createTestDatabase();
  const [one, other] = [createProcess(await openFor(context, url)), createProcess(await openFor(context, url))];
  const { db } = one;
  const set = createWriteSet();
  const { userId, deviceId } = device;
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  addDevice(set, { userId, deviceId, name: undefined, createdAt: 0 });
  await db.commit(set);
  const toDevice = createToDevice({ db, now: () => 1, isLocal: () => true, randomId: () => 'id' });
  /** The position of the message, once the other process has heard of it. */
  async function send(n: number): Promise<number> {
    const heard = new Promise<void>((resolve) => {
      const stop = other.db.onChanges((batches) => {
        if (!batches.some(({ changes }) => changes.some(({ kind }) => kind === 'to_device'))) return;
        stop();
        resolve();
      });
    });
    await toDevice.send(device, { type: 'm.test', txnId: String(n), messages: { [userId]: { [deviceId]: { n } } } });
    await heard;
    return db.currentPosition();
  }

  const first = await send(1);
  assert.deepEqual(await one.sync(undefined, first), [1]);
  assert.deepEqual(await one.sync(first, first), []);
  const second = await send(2);
  assert.deepEqual(await other.sync(first, second), [2]);
  assert.deepEqual(await one.sync(second, second), []);
  await Promise.all([one.close(), other.close()]);
  const left = await readToDevice(db, device, { position: -1, seq: 0 }, second, 10);
  assert.deepEqual(left, []);
});

test('what a device has acknowledged is not given again while it is being dropped', async () => {
  const rows = [1, 2].map((position) => ({ position, seq: 0, sender: '@a:x', type: `t${position}`, content: '{}' }));
  const dropped = Promise.withResolvers<void>();
  const db = {
    messages: { isShared: false },
    onChanges: () => () => undefined,
    all: (_statement: unknown, [, , position]: readonly [string, string, number]) =>
      Promise.resolve(rows.filter((row) => row.position > position)),
    commit: () => dropped.promise,
  } as unknown as Database;
  const stream = createToDeviceStream({ db, onFailure: assert.ifError });
  const read = async (limit?: number) => {
    const none = {
      rooms: new Map<number, string>(),
      newRooms: new Set<number>(),
      allRooms: () => new Map(),
      mayConcernUser: true,
    };
    const from = { since: undefined, upTo: 9, serial: undefined };
    const parts = await stream.read({ ...device, ...from, ...none, limit, reader: db, filter: defaultFilter });
    return parts.fields?.get('to_device')?.match(/t[0-9]/g);
  };
  assert.deepEqual(await read(1), ['t1']);
  stream.acknowledged?.({ ...device, since: 1, serial: undefined });
  assert.deepEqual(await read(), ['t2']);
  rows.shift();
  dropped.resolve();
  await stream.close();
  assert.deepEqual(await read(), ['t2']);
});

test('a device for which nothing waits is not looked for again, until something may', async () => {
  const rows: { position: number; seq: number; sender: string; type: string; content: string }[] = [];
  let reads = 0;
  let change: (batches: readonly CommittedChanges[]) => void = () => undefined;
  let meanwhile: (() => void) | undefined;
  const db = {
    messages: { isShared: false },
    onChanges: (listener: typeof change) => {
      change = listener;
      return () => undefined;
    },
    all: async (_statement: unknown, [, , , , upTo]: readonly [string, string, number, number, number]) => {
      reads += 1;
      const found = rows.filter((row) => row.position <= upTo);
      meanwhile?.();
      return found;
    },
  } as unknown as Database;
  const queue = (position: number) => {
    rows.push({ position, seq: 0, sender: '@a:x', type: `t${position}`, content: '{}' });
    change([{ position, changes: [{ kind: 'to_device', key: device.userId }] }]);
  };
  const stream = createToDeviceStream({ db, onFailure: assert.ifError });
  const read = async (upTo: number) => {
    const none = {
      rooms: new Map<number, string>(),
      newRooms: new Set<number>(),
      allRooms: () => new Map(),
      mayConcernUser: true,
    };
    const from = { since: undefined, upTo, serial: undefined };
    const parts = await stream.read({ ...device, ...from, ...none, reader: db, filter: defaultFilter });
    return parts.fields?.get('to_device')?.match(/t[0-9]/g);
  };
  for (const _ of [1, 2, 3]) assert.equal(await read(5), undefined);
  assert.equal(reads, 1);
  queue(6);
  assert.deepEqual(await read(6), ['t6']);
  rows.length = 0;
  // What comes while nothing is found is not lost, and neither is what has come behind the position that was asked for.
  meanwhile = () => queue(7);
  assert.equal(await read(6), undefined);
  meanwhile = undefined;
  assert.equal(await read(6), undefined);
  assert.deepEqual(await read(7), ['t7']);
  await stream.close();
});
