import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { addDevice } from '@portico/storage/stores/devices/devices.ts';
import { onBothEngines } from '@portico/testkit';
import { newDeviceKeys, newOneTimeKeys } from '@portico/testkit/device-keys.ts';
import { createToDevice } from '../to-device/to-device.ts';
import { createToDeviceStream } from '../to-device/to-device-stream.ts';
import { createClaimKeys } from './claim-keys.ts';
import { createDeviceListChanges } from './device-list-changes.ts';
import { createKeyCounts } from './key-counts.ts';
import { createPlanUpload } from './plan-upload.ts';
import { createQueryKeys } from './query-keys.ts';
import { createUploadKeys } from './upload-keys.ts';
import { createUploadSignatures } from './upload-signatures.ts';

type Count = { reads: number; commits: number; writes: number };

/** The same database, and what it has been asked since the count was last taken. */
function counting(db: Database) {
  let count: Count = { reads: 0, commits: 0, writes: 0 };
  const counted: Database = {
    ...db,
    all: (statement, params) => {
      count.reads++;
      return db.all(statement, params);
    },
    get: (statement, params) => {
      count.reads++;
      return db.get(statement, params);
    },
    commit: (set: WriteSet) => {
      count.commits++;
      count.writes += set.writes.length;
      return db.commit(set);
    },
  };
  const take = (): Count => {
    const taken = count;
    count = { reads: 0, commits: 0, writes: 0 };
    return taken;
  };
  return { counted, take };
}

onBothEngines('what is asked of the database for keys and messages does not grow with people and keys', async (db) => {
  const people = Array.from({ length: 20 }, (_, n) => ({ userId: `@u${n}:localhost`, deviceId: `D${n}` }));
  const set = createWriteSet();
  for (const { userId, deviceId } of people) {
    addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
    addDevice(set, { userId, deviceId, name: undefined, createdAt: 0 });
  }
  await db.commit(set);

  const { counted, take } = counting(db);
  const isLocal = () => true;
  const now = () => 1;
  const changes = createDeviceListChanges({ db: counted, serverName: 'localhost', federates: true, tellsNames: true });
  const counts = createKeyCounts(counted);
  const upload = createUploadKeys({
    db: counted,
    counts,
    plan: createPlanUpload({ db: counted, changes, tellsNames: false }),
  });
  const query = createQueryKeys({ db: counted, isLocal, remoteLists: undefined });
  const claim = createClaimKeys({ db: counted, isLocal, claimRemote: undefined });
  const sign = createUploadSignatures({ db: counted, changes, isLocal, remoteLists: undefined });
  const toDevice = createToDevice({ db: counted, now, isLocal, randomId: () => 'id' });
  const stream = createToDeviceStream({ db: counted, onFailure: (error) => assert.fail(String(error)) });
  const byUser = <T>(count: number, of: (deviceId: string) => T) =>
    Object.fromEntries(people.slice(0, count).map(({ userId, deviceId }) => [userId, of(deviceId)]));
  const [alice] = people;
  assert.ok(alice);

  for (const device of people) await upload(device, { device_keys: newDeviceKeys(device) });
  take();
  let messages = 0;
  const asked = async (count: number) => {
    const keys = Object.entries(newOneTimeKeys(count)).map(([name, key]) => [`${name}of${messages}`, key] as const);
    const seen: { [request: string]: Count } = {};
    await upload(alice, { one_time_keys: Object.fromEntries(keys) });
    seen['upload'] = take();
    await query(
      alice,
      byUser(count, () => []),
    );
    seen['query'] = take();
    const claimed = await claim(
      alice,
      byUser(count, (deviceId) => ({ [deviceId]: 'signed_curve25519' })),
    );
    const { one_time_keys: given } = JSON.parse(claimed) as { one_time_keys: object };
    assert.equal(Object.keys(given).length, 1);
    seen['claim'] = take();
    const failures = await sign(
      alice.userId,
      byUser(count, (deviceId) => ({ [deviceId]: {} })),
    );
    assert.equal(Object.keys(failures).length, count);
    seen['signatures'] = take();
    const request = { type: 'm.test', txnId: String(messages), messages: byUser(count, (id) => ({ [id]: {} })) };
    await toDevice.send(alice, request);
    seen['send'] = take();
    messages += 1;
    const place = { ...alice, reader: counted, since: undefined, upTo: db.currentPosition(), serial: undefined };
    const none = {
      filter: undefined as never,
      rooms: new Map(),
      newRooms: new Set<number>(),
      allRooms: () => new Map(),
      mayConcernUser: true,
    };
    const { fields } = await stream.read({ ...place, ...none });
    const events = fields?.get('to_device') ?? '{"events":[]}';
    assert.equal((JSON.parse(events) as { events: [] }).events.length, messages);
    seen['read'] = take();
    return seen;
  };
  // The first time nobody has asked how many keys wait, and old transactions are looked for.
  await asked(1);
  const one = await asked(1);
  const many = await asked(20);
  assert.deepEqual(many, one);
  assert.deepEqual(many, {
    // The mark of what is claimed, claimed keys, the new ones; and how many wait then.
    upload: { reads: 1, commits: 1, writes: 3 },
    query: { reads: 1, commits: 0, writes: 0 },
    // The fallback key, then the one-time key.
    claim: { reads: 0, commits: 1, writes: 2 },
    // Where the list is, then the keys.
    signatures: { reads: 2, commits: 0, writes: 0 },
    // The transaction, and the messages.
    send: { reads: 0, commits: 1, writes: 2 },
    read: { reads: 1, commits: 0, writes: 0 },
  });
  counts.close();
});
