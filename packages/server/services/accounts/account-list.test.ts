import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { setAdmin, setModerated } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { addDevice, setDeviceSeen } from '@portico/storage/stores/devices/devices.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { type AccountQuery, createListAccounts } from './account-list.ts';

const all: Omit<AccountQuery, 'by' | 'from'> = {
  isDescending: false,
  isDeactivated: undefined,
  isAdmin: undefined,
  isLocked: undefined,
  name: '',
  userId: '',
  limit: 2,
};

async function addAccounts(db: Database, from: number, count: number): Promise<void> {
  const set = createWriteSet();
  for (let index = from; index < from + count; index += 1) {
    const userId = `@user${String(index).padStart(6, '0')}:localhost`;
    addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: index });
  }
  await db.commit(set);
}

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

onBothEngines('ten thousand accounts are sorted by anything, and more of them by what has an index', async (db) => {
  const list = createListAccounts({ db, serverName: 'localhost' });
  for (let from = 0; from < 10_000; from += 2000) await addAccounts(db, from, 2000);
  const last = await list({ ...all, by: 'last_seen_ts', from: '9998' });
  assert.deepEqual(
    last.accounts.map((row) => row.user_id),
    ['@user009998:localhost', '@user009999:localhost'],
  );
  assert.deepEqual([last.next, last.total], [undefined, 10_000]);

  await addAccounts(db, 10_000, 1);
  await assert.rejects(list({ ...all, by: 'last_seen_ts', from: '0' }), {
    reason: 'request.invalid-param',
    message: /order_by .* name, creation_ts, admin, locked or suspended/,
  });
  const marked = ['@user000007:localhost', '@user003000:localhost', '@user009000:localhost'];
  await commit(db, (set) => {
    for (const userId of marked)
      for (const measure of ['locked', 'suspended'] as const) setModerated(set, userId, measure, true);
    for (const userId of marked) setAdmin(set, userId, true);
  });
  for (const by of ['admin', 'locked', 'suspended'] as const) {
    const first = await list({ ...all, by, isDescending: true, limit: 4, from: '0' });
    const ids = first.accounts.map((row) => row.user_id);
    assert.deepEqual(ids, [...marked.toReversed(), '@user010000:localhost'], by);
    const next = await list({ ...all, by, isDescending: true, limit: 1, from: first.next ?? '' });
    assert.equal(next.accounts[0]?.user_id, '@user009999:localhost');
    await assert.rejects(list({ ...all, by: 'creation', from: first.next ?? '' }), 'the place is one of another order');
  }
  for (const by of ['name', 'creation', 'admin', 'locked', 'suspended'] as const) {
    const page = await list({ ...all, by, from: '0' });
    assert.equal(page.accounts[0]?.user_id, '@user000000:localhost');
  }
});

onBothEngines('accounts are sorted by when any of their devices was last used', async (db) => {
  const list = createListAccounts({ db, serverName: 'localhost' });
  await addAccounts(db, 0, 3);
  const set = createWriteSet();
  for (const [index, deviceId, at] of [
    [0, 'OLD', 50],
    [0, 'NEW', 300],
    [1, 'ONLY', 200],
  ] as const) {
    const device = { userId: `@user00000${index}:localhost`, deviceId };
    addDevice(set, { ...device, name: undefined, createdAt: 1 });
    setDeviceSeen(set, { ...device, at, ip: '127.0.0.1' }, at);
  }
  await db.commit(set);
  const seen = async (isDescending: boolean) =>
    (await list({ ...all, by: 'last_seen_ts', isDescending, from: '0', limit: 3 })).accounts.map((row) => [
      row.user_id,
      row.last_seen_at,
    ]);
  const expected = [
    ['@user000002:localhost', null],
    ['@user000001:localhost', 200],
    ['@user000000:localhost', 300],
  ];
  assert.deepEqual(await seen(false), expected);
  assert.deepEqual(await seen(true), expected.toReversed());
});
