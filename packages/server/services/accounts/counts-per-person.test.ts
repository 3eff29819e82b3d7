import assert from 'node:assert/strict';
import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { addAlias } from '@portico/storage/stores/directory/room-directory-write.ts';
import { setDehydratedDevice } from '@portico/storage/stores/devices/dehydrated-devices.ts';
import { listDeviceIds, setDeviceSeen } from '@portico/storage/stores/devices/devices.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createDevices } from '../devices/devices.ts';
import { createKeyBackup } from '../keys/key-backup.ts';
import { maxAliasesOfPerson, refuseManyAliases } from '../rooms/aliases/alias-limit.ts';
import { createTags } from '../tags/tags.ts';
import { createAccountData } from './account-data.ts';
import { createFilters } from './filters.ts';
import { createSessions } from './sessions.ts';

const userId = '@alice:here.example';
const refused = (reason: string) => ({ name: 'MatrixError', reason });

async function addAlice(db: Database): Promise<void> {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 1 });
  await db.commit(set);
}

onBothEngines('counts: of too many devices, those go that were used for the shortest time', async (db) => {
  await addAlice(db);
  let now = 1;
  const deleted: string[] = [];
  const onDeleted = [(_: unknown, __: string, ids: readonly string[]) => void deleted.push(...ids)];
  const devices = createDevices({ db, onDeleted, now: () => now, mostDevices: 4 });
  let bytes = 0;
  const sessions = createSessions({ devices, now: () => now, randomBytes: () => new Uint8Array(24).fill(bytes++) });
  async function logIn(deviceId: string): Promise<void> {
    now += 1;
    const set = createWriteSet();
    await sessions.planLogin(set, userId, { device_id: deviceId });
    await db.commit(set);
  }
  async function use(deviceId: string): Promise<void> {
    now += 1;
    const set = createWriteSet();
    setDeviceSeen(set, { userId, deviceId, at: now, ip: '192.0.2.1' }, now);
    await db.commit(set);
  }
  for (const deviceId of ['phone', 'laptop']) await logIn(deviceId);
  for (const deviceId of ['laptop', 'phone']) await use(deviceId);
  // The newest one is kept, too: it is going to be used.
  for (const deviceId of ['script-1', 'script-2', 'script-3', 'script-4']) await logIn(deviceId);
  assert.deepEqual(deleted, ['script-1', 'script-2']);
  assert.equal(await devices.add(userId, 'five', undefined), 'added');
  assert.deepEqual(deleted, ['script-1', 'script-2', 'script-3']);
  assert.deepEqual((await listDeviceIds(db, userId)).toSorted(), ['five', 'laptop', 'phone', 'script-4']);
  // One that is there already takes no place.
  assert.equal(await devices.add(userId, 'phone', undefined), 'there');
  assert.equal(deleted.length, 3);
  // One that takes messages while nobody is logged in is never used.
  const set = createWriteSet();
  setDehydratedDevice(set, userId, { device_id: 'script-4', data: '{}' }, undefined);
  await db.commit(set);
  for (const deviceId of ['script-5', 'script-6']) await logIn(deviceId);
  assert.ok((await listDeviceIds(db, userId)).includes('script-4'));
});

onBothEngines(
  'counts: hundreds of devices are deleted a few at a time, those used last with the last of it',
  async (db) => {
    await addAlice(db);
    let now = 1;
    const deleted: (readonly string[])[] = [];
    const onDeleted = [(_: unknown, __: string, ids: readonly string[]) => void deleted.push(ids)];
    const devices = createDevices({ db, onDeleted, now: () => now });
    const ids = Array.from({ length: 110 }, (_, n) => `D${n}`);
    for (const id of ids) {
      now += 1;
      await devices.add(userId, id, undefined);
    }
    let last = 0;
    await devices.removeAllBut(userId, ['D50'], () => {
      last = deleted.length;
    });
    assert.deepEqual(
      deleted.flat(),
      ids.filter((id) => id !== 'D50'),
    );
    assert.ok(deleted.every((some) => some.length <= 25));
    assert.ok(deleted[last]?.includes('D109'), 'what goes with it goes with those that were used last');
    assert.deepEqual(await listDeviceIds(db, userId), ['D50']);
  },
);

onBothEngines('counts: so many backups of keys, so many keys in them, each so large', async (db) => {
  await addAlice(db);
  const backup = createKeyBackup({ db, mostVersions: 3, mostKeys: 4 });
  const fresh = () => backup.create(userId, { algorithm: 'a', auth_data: {} });
  const versions = [await fresh(), await fresh(), await fresh()];
  await assert.rejects(fresh(), refused('backup.too-many'));
  for (const version of versions) await backup.remove(userId, version);
  assert.equal(await fresh(), '4', 'a number is not given out again');
  const key = (data: string) => ({
    first_message_index: 0,
    forwarded_count: 0,
    is_verified: true,
    session_data: { data },
  });
  const put = (names: readonly string[], data = '') =>
    backup.putKeys(userId, '4', {
      '!room': { sessions: Object.fromEntries(names.map((name) => [name, key(data)])) },
    });
  assert.equal((await put(['1', '2', '3'])).count, 3);
  await assert.rejects(put(['4', '5']), refused('backup.too-large'));
  await assert.rejects(put(['4'], 'x'.repeat(70_000)), refused('request.too-large'));
  assert.equal((await put(['4'])).count, 4);
});

onBothEngines('counts: so much account data, in number and in length', async (db) => {
  await addAlice(db);
  const data = createAccountData({ db, maxPerUser: 3, maxLengthPerUser: 100_000 });
  const text = (length: number) => ({ text: 'x'.repeat(length) });
  await data.set(userId, '', 'a', text(60_000));
  await assert.rejects(data.set(userId, '', 'b', text(60_000)), refused('account-data.too-many'));
  await data.set(userId, '', 'b', text(10_000));
  await data.set(userId, '', 'c', text(10));
  await assert.rejects(data.set(userId, '', 'd', text(10)), refused('account-data.too-many'));
  await data.set(userId, '', 'c', text(20));
  const unbounded = createAccountData({ db });
  await assert.rejects(unbounded.set(userId, '', 'c', text(1024 * 1024)), refused('request.too-large'));
});

onBothEngines('counts: so many tags, as part of the account data, and so long ones', async (db) => {
  await addAlice(db);
  const tags = createTags({ db, maxPerUser: 2 });
  const set = (room: string, tag: string, content: JsonObject = {}) =>
    tags.set(userId, `!${room}:here.example`, tag, content);
  for (const room of ['one', 'two']) await set(room, 'u.tag');
  await assert.rejects(set('three', 'u.tag'), refused('account-data.too-many'));
  await set('one', 'x'.repeat(255));
  await assert.rejects(set('one', 'x'.repeat(256)), refused('request.invalid-param'));
  await assert.rejects(set('one', 'u.long', { text: 'x'.repeat(65_536) }), refused('request.too-large'));
});

onBothEngines(
  'counts: tags and other account data have one length together, and may always become less',
  async (db) => {
    await addAlice(db);
    const tags = createTags({ db, maxLengthPerUser: 100_000 });
    const data = createAccountData({ db, maxLengthPerUser: 100_000 });
    const text = (length: number) => ({ text: 'x'.repeat(length) });
    const room = (name: string) => `!${name}:here.example`;
    await tags.set(userId, room('one'), 'u.tag', text(40_000));
    await assert.rejects(data.set(userId, '', 'a', text(60_000)), refused('account-data.too-many'));
    await data.set(userId, '', 'a', text(50_000));
    await assert.rejects(tags.set(userId, room('two'), 'u.tag', text(40_000)), refused('account-data.too-many'));
    await assert.rejects(tags.set(userId, room('one'), 'u.more', text(10_000)), refused('account-data.too-many'));
    await tags.set(userId, room('one'), 'u.tag', text(40_000));
    await data.set(userId, '', 'a', text(49_000));
  },
);

onBothEngines('counts: of too many filters, the oldest goes', async (db) => {
  await addAlice(db);
  const filters = createFilters({ db, maxPerUser: 2 });
  const limited = (limit: number) => filters.create(userId, { room: { timeline: { limit } } });
  const [first, second, third] = [await limited(1), await limited(2), await limited(3)];
  await assert.rejects(filters.get(userId, first), refused('filter.not-found'));
  for (const kept of [second, third]) await filters.get(userId, kept);
  await assert.rejects(filters.create(userId, { long: 'x'.repeat(65_536) }), refused('request.too-large'));
});

onBothEngines('counts: so many aliases of one person, but for application services', async (db) => {
  await addAlice(db);
  const add = async (from: number, to: number) => {
    const set = createWriteSet();
    for (let n = from; n < to; n++) addAlias(set, `#${n}:here.example`, 1, userId);
    await db.commit(set);
  };
  await add(0, maxAliasesOfPerson - 1);
  await refuseManyAliases(db, { userId });
  await add(maxAliasesOfPerson, maxAliasesOfPerson + 1);
  await assert.rejects(refuseManyAliases(db, { userId }), refused('alias.too-many-of-yours'));
  await refuseManyAliases(db, { userId, appService: {} });
  await refuseManyAliases(db, { userId: '@bob:here.example' });
});
