import assert from 'node:assert/strict';
import { createWriteSet, type Database } from '@portico/storage';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
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
  await assert.rejects(list({ ...all, by: 'last_seen_ts', from: '0' }), { reason: 'request.invalid-param' });
  for (const by of ['name', 'creation'] as const) {
    const page = await list({ ...all, by, from: '0' });
    assert.equal(page.accounts[0]?.user_id, '@user000000:localhost');
  }
});
