import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createWriteSet, type Database, StorageError } from '../../index.ts';
import { addAccount } from './accounts-write.ts';
import { addExternalId, listExternalIds, removeExternalIdUnlessLast } from './external-ids.ts';
import { ssoLogins } from './sso-logins.ts';

const rowAt = (expires: number) => ({
  step: 'provider',
  browser_hash: 'of a browser',
  network: '192.0.2.1',
  user_id: null,
  details: '{}',
  expires_at: expires,
});

async function guardOf(db: Database, set: ReturnType<typeof createWriteSet>): Promise<string | undefined> {
  try {
    await db.commit(set);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof StorageError);
    return error.guard;
  }
}

onBothEngines('of logins under way the oldest go where there are thousands, and those that are over', async (db) => {
  const set = createWriteSet();
  for (let index = 0; index < 5003; index += 1) ssoLogins.add(set, `login ${index}`, rowAt(1000 + index), 0);
  await db.commit(set);
  const isThere = async (index: number) => (await ssoLogins.find(db, `login ${index}`)) !== undefined;
  assert.deepEqual([await isThere(2), await isThere(3), await isThere(5002)], [false, true, true]);
  const later = createWriteSet();
  ssoLogins.add(later, 'later', rowAt(9000), 5000);
  await db.commit(later);
  assert.deepEqual([await isThere(4000), await isThere(4001)], [false, true]);
});

onBothEngines('a step is used once, as what it is, before it is over', async (db) => {
  const set = createWriteSet();
  ssoLogins.add(set, 'one', rowAt(1000), 0);
  ssoLogins.add(set, 'two', { ...rowAt(1000), user_id: '@alice:localhost' }, 0);
  await db.commit(set);
  const use = (login: string, step: string, now: number) => {
    const using = createWriteSet();
    ssoLogins.use(using, login, step, now);
    return guardOf(db, using);
  };
  assert.equal(await use('one', 'name', 10), 'sso.over');
  assert.equal(await use('one', 'provider', 1000), 'sso.over');
  assert.equal(await use('one', 'provider', 999), undefined);
  assert.equal(await use('one', 'provider', 10), 'sso.over');
  const removal = createWriteSet();
  ssoLogins.removeAllOf(removal, '@alice:localhost');
  await db.commit(removal);
  assert.equal(await ssoLogins.find(db, 'two'), undefined);
});

onBothEngines('two links that are taken away at the same moment do not both go where one is the last', async (db) => {
  const userId = '@alice:localhost';
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 1 });
  for (const subject of ['a', 'b']) addExternalId(set, userId, { provider: 'test', subject }, 1);
  addExternalId(set, userId, { provider: 'gone', subject: 'c' }, 1);
  await db.commit(set);
  const remove = (subject: string) => {
    const removing = createWriteSet();
    removeExternalIdUnlessLast(removing, userId, { provider: 'test', subject }, ['test']);
    return guardOf(db, removing);
  };
  const both = await Promise.all([remove('a'), remove('b')]);
  assert.deepEqual(new Set(both), new Set(['external-id.last', undefined]));
  assert.equal((await listExternalIds(db, userId)).length, 2, 'one by which they can log in');
});
