import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase, onBothEngines, openFor } from '@portico/testkit';
import { createWriteSet, type Database, sql, StorageError, type Turn, type WriteSet } from '../index.ts';
import { decideInTurn } from './turn.ts';

type Row = { readonly key: string; readonly value: string };

const put = sql<void, [key: string, value: string]>(
  'test.turn_put',
  'insert into server_metadata (key, value) values ($1, $2)',
);
const raise = sql<void, [key: string, from: string, to: string]>(
  'test.turn_raise',
  'update server_metadata set value = $3 where key = $1 and value = $2',
);
const find = sql<Row, [key: string]>('test.turn_find', 'select key, value from server_metadata where key = $1');

function setOf(fill: (set: WriteSet) => void): WriteSet {
  const set = createWriteSet();
  fill(set);
  return set;
}

/** Reads a number and writes the next one: right only if nobody writes in between. */
async function countUp(database: Database): Promise<WriteSet> {
  const value = (await database.get(find, ['count']))?.value ?? '';
  return setOf((set) => {
    set.takePosition();
    set.change('count', value);
    set.guard('count', 1, raise, ['count', value, String(Number(value) + 1)]);
  });
}

const start = (database: Database) => database.commit(setOf((set) => set.add(put, ['count', '0'])));

onBothEngines('a decision in a turn finds everything committed before it, and its set is written', async (database) => {
  await start(database);
  const before = database.commit(setOf((set) => set.add(put, ['before', ''])));
  const { positions } = await database.commitAlone(async () => {
    assert.ok(await database.get(find, ['before']), 'what waited before it is there');
    return countUp(database);
  });
  await before;
  assert.equal(positions.length, 1);
  assert.equal(database.currentPosition(), positions[0]);
  assert.equal((await database.get(find, ['count']))?.value, '1');
});

onBothEngines('a decision that refuses, or whose guard does not hold, fails alone', async (database) => {
  await start(database);
  const results = await Promise.allSettled([
    database.commitAlone(() => Promise.reject(new Error('no'))),
    database.commitAlone(() => countUp(database)),
    // Shares the turn, so it reads the count as it was before.
    database.commitAlone(() => countUp(database)),
    database.commit(setOf((set) => set.add(put, ['other', '']))),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected', 'fulfilled'],
  );
  const [refused, , conflict] = results;
  assert.ok(refused?.status === 'rejected' && String(refused.reason) === 'Error: no');
  assert.ok(conflict?.status === 'rejected' && (conflict.reason as StorageError).guard === 'count');
  assert.equal((await database.get(find, ['count']))?.value, '1');
});

onBothEngines('a decision in a turn may take numbers', async (database) => {
  const first = await database.reserveIds('turn', 1);
  const block = 1000;
  await database.reserveIds('turn', block / 4);
  let taken = 0;
  await database.commitAlone(async () => {
    taken = (await Promise.all([1, 2].map(() => database.reserveIds('turn', block))))[1] ?? 0;
    return createWriteSet();
  });
  assert.ok(taken > first);
});

test('two processes count up in turns without a single conflict', async (context) => {
  const url = await createTestDatabase();
  const databases = [await openFor(context, url), await openFor(context, url)] as const;
  await start(databases[0]);
  const rounds = 25;
  const counting = databases.map(async (database) => {
    for (let round = 0; round < rounds; round++) await database.commitAlone(() => countUp(database));
  });
  await Promise.all(counting);
  assert.equal((await databases[0].get(find, ['count']))?.value, String(2 * rounds));
});

test('a decision that takes too long is left out, and told that its turn is over', async () => {
  let late: Turn | undefined;
  const outcome = Promise.withResolvers<unknown>();
  const slow = {
    since: 0,
    resolve: outcome.resolve,
    reject: outcome.reject,
    decide(turn: Turn) {
      late = turn;
      return new Promise<WriteSet>(() => undefined);
    },
  };
  const quick = { since: 0, resolve: () => undefined, reject: () => undefined, decide: async () => createWriteSet() };
  const [decided, told] = await Promise.allSettled([decideInTurn([quick, slow, quick], 20), outcome.promise]);
  assert.equal(decided.status === 'fulfilled' && decided.value.length, 1);
  assert.ok(told.status === 'rejected' && (told.reason as StorageError).reason === 'unavailable');
  assert.equal(late?.over, true);
});
