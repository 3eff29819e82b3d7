import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createEmptyTestDatabase, openFor, temporarySqlite } from '@portico/testkit';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { migrateSqlite } from '../../engines/sqlite/migrate.ts';
import { toSqliteText } from '../../engines/sqlite/sql-text.ts';
import { createWriteSet, type Database, openDatabase, sql, StorageError } from '../../index.ts';
import { lastClaimedKeys } from '../../migrations/0063-last-claimed-keys.ts';
import { migrations } from '../../migrations/index.ts';
import { statements } from '../../sql.ts';
import { addAccount } from '../accounts/accounts-write.ts';
import { exportSections } from '../privacy/export-sections.ts';
import { addDevice } from './devices.ts';
import { addOneTimeKeys, claimKeys, type ClaimedRow, countKeys, findChangedKey } from './one-time-keys.ts';

const userId = '@alice:localhost';
const deviceId = 'PHONE';

const newKey = (keyId: string, identity = `key ${keyId}`) => ({
  algorithm: 'signed_curve25519',
  keyId,
  identity,
  key: JSON.stringify({ key: identity }),
});

async function addPhone(db: Database): Promise<void> {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  addDevice(set, { userId, deviceId, name: undefined, createdAt: 0 });
  await db.commit(set);
}

/** `undefined`, or the guard that it fails on. */
async function upload(db: Database, keys: readonly ReturnType<typeof newKey>[], max = 100) {
  const set = createWriteSet();
  addOneTimeKeys(set, userId, deviceId, keys, max);
  try {
    await db.commit(set);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof StorageError);
    return error.guard;
  }
}

async function claim(db: Database): Promise<string | undefined> {
  const set = createWriteSet();
  claimKeys(set, [[userId, deviceId, 'signed_curve25519']]);
  const { returned } = await db.commit(set);
  const [row] = returned.flat() as ClaimedRow[];
  return row && `${row.key_id} ${row.key}`;
}

const compareText = (a: string, b: string) => a.localeCompare(b);
const selectStored = sql<{ key_id: string }>('test.one-time-keys.stored', 'select key_id from one_time_keys');

async function standing(db: Database) {
  const [stored, [count], exported] = await Promise.all([
    db.all(selectStored, []),
    countKeys(db, userId, deviceId),
    db.all(exportSections.find(({ name }) => name === 'one-time-keys')?.statement ?? assert.fail(), [userId, 100, 0]),
  ]);
  return {
    stored: stored.map((row) => row.key_id).toSorted(compareText),
    waiting: count?.waiting ?? 0,
    exported: exported.map((row) => String(row['key_id'])).toSorted(compareText),
  };
}

test('the first key of a device, and how many it has, are found by its place among the keys', () => {
  const sqlite = new DatabaseSync(':memory:');
  migrateSqlite(sqlite, migrations);
  const set = createWriteSet();
  claimKeys(set, []);
  const [, claiming] = set.writes.map(({ statement }) => statement.text);
  for (const text of [claiming, statements.get('one-time-keys.counts')?.text]) {
    const plan = sqlite.prepare(`explain query plan ${toSqliteText(text ?? '')}`).all();
    const steps = plan.map((row) => String(row['detail']));
    assert.ok(
      steps.some((step) => step.includes('USING PRIMARY KEY (user_id=? AND device_id=? AND algorithm=? AND ordinal>?')),
      steps.join('\n'),
    );
    assert.ok(!steps.some((step) => step.includes('TEMP B-TREE')), steps.join('\n'));
  }
  sqlite.close();
});

onBothEngines('claimed keys count no more, and are deleted when the device uploads others', async (db) => {
  await addPhone(db);
  assert.equal(
    await upload(
      db,
      ['c', 'a', 'b'].map((id) => newKey(id)),
    ),
    undefined,
  );
  assert.deepEqual([await claim(db), await claim(db)], ['c {"key":"key c"}', 'a {"key":"key a"}']);
  assert.deepEqual(await standing(db), { stored: ['a', 'b', 'c'], waiting: 1, exported: ['b'] });
  assert.equal(await upload(db, [newKey('b'), newKey('d')]), undefined);
  assert.deepEqual(await standing(db), { stored: ['b', 'd'], waiting: 2, exported: ['b', 'd'] });
  const rest = [await claim(db), await claim(db), await claim(db)];
  assert.deepEqual(rest, ['b {"key":"key b"}', 'd {"key":"key d"}', undefined]);
});

onBothEngines(
  'the name of a claimed key may come again with another key, that of a waiting one may not',
  async (db) => {
    await addPhone(db);
    await upload(db, [newKey('a'), newKey('b')]);
    await claim(db);
    const others = [newKey('a', 'other'), newKey('b', 'other')];
    assert.equal(await upload(db, others), 'one-time-keys.refused');
    assert.equal((await findChangedKey(db, userId, deviceId, others))?.key_id, 'b');
    assert.equal(await upload(db, [newKey('a', 'other')]), undefined);
    assert.deepEqual([await claim(db), await claim(db)], ['b {"key":"key b"}', 'a {"key":"other"}']);
  },
);

onBothEngines('claimed keys take no place among those that a device may have', async (db) => {
  await addPhone(db);
  await upload(db, [newKey('a'), newKey('b')], 2);
  assert.equal(await upload(db, [newKey('c')], 2), 'one-time-keys.refused');
  await claim(db);
  assert.equal(await upload(db, [newKey('c')], 2), undefined);
  assert.deepEqual(await standing(db), { stored: ['b', 'c'], waiting: 2, exported: ['b', 'c'] });
});

const insertOld = sql<void, [position: number, keyId: string]>(
  'test.one-time-keys.old',
  `insert into one_time_keys (user_id, device_id, algorithm, position, key_id, identity, key)
   values ('${userId}', '${deviceId}', 'signed_curve25519', $1, $2, 'key ' || cast($2 as text), '{}')`,
);

for (const [engine, freshUrl] of [
  ['SQLite', async (context: Parameters<typeof temporarySqlite>[0]) => temporarySqlite(context)],
  ['PostgreSQL', async () => createEmptyTestDatabase()],
] as const) {
  test(`keys of an older database are claimed in their order, before new ones (${engine})`, async (context) => {
    const url = await freshUrl(context);
    const before = migrations.filter(({ version }) => version < lastClaimedKeys.version);
    const old = await openDatabase({ url, durability: 'relaxed', migrations: before });
    await addPhone(old);
    const set = createWriteSet();
    for (const [position, id] of [
      [7, 'd'],
      [3, 'c'],
      [3, 'b'],
    ] as const)
      set.add(insertOld, [position, id]);
    await old.commit(set);
    await old.close();
    const db = await openFor(context, url);
    assert.deepEqual(await standing(db), { stored: ['b', 'c', 'd'], waiting: 3, exported: ['b', 'c', 'd'] });
    assert.equal(await upload(db, [newKey('a'), newKey('d')]), undefined);
    const claimed = [await claim(db), await claim(db), await claim(db), await claim(db), await claim(db)];
    assert.deepEqual(claimed, ['b {}', 'c {}', 'd {}', 'a {"key":"key a"}', undefined]);
  });
}
