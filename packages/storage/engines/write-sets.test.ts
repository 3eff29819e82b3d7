import assert from 'node:assert/strict';
import { onBothEngines, openFor, temporarySqlite } from '@portico/testkit';
import { test } from 'node:test';
import { createWriteSet, sql, StorageError } from '../index.ts';
import type { CommittedChanges, Database, PositionParam, WriteSet } from '../index.ts';

type Row = { readonly key: string; readonly value: string };

const put = sql<void, [key: string, value: string]>(
  'test.put',
  'insert into server_metadata (key, value) values ($1, $2)',
);
const putOnce = sql<void, [key: string, value: string]>(
  'test.put_once',
  'insert into server_metadata (key, value) values ($1, $2) on conflict do nothing',
);
const putPosition = sql<Row, [key: string, position: PositionParam]>(
  'test.put_position',
  'insert into server_metadata (key, value) values ($1, cast(position($2) as text)) returning key, value',
);
const list = sql<Row>('test.list', 'select key, value from server_metadata order by key');
const listIn = sql<{ readonly key: string }, [keys: string]>(
  'test.list_in',
  'select key from server_metadata where key in (select value from json_each($1)) order by key',
);
const numbersIn = sql<{ readonly double: number }, [numbers: string]>(
  'test.numbers_in',
  'select cast(value as bigint) * 2 as double from json_each($1) order by cast(key as bigint)',
);
const members = sql<{ readonly key: string; readonly value: string }, [members: string]>(
  'test.members',
  'select key, value from json_each($1) order by key',
);
const pairs = sql<{ readonly name: string; readonly count: number }, [pairs: string]>(
  'test.pairs',
  'select value ->> 0 as name, cast(value ->> 1 as bigint) as count from json_each($1) order by name',
);
const named = sql<{ readonly name: string }, [objects: string]>(
  'test.named',
  `select value ->> 'name' as name from json_each($1) order by name`,
);
const arithmetic = sql<{ readonly text: string; readonly half: number; readonly big: number }, [number: number]>(
  'test.arithmetic',
  `select cast(cast($1 as bigint) as text) as text, cast($1 as bigint) / 2 as half, cast($1 as bigint) * 1048576 as big`,
);

function setOf(fill: (set: WriteSet) => void): WriteSet {
  const set = createWriteSet();
  fill(set);
  return set;
}

const failsWith = (reason: string, guard?: string) => (error: unknown) =>
  error instanceof StorageError && error.reason === reason && error.guard === guard;

onBothEngines('a set is written whole, and its positions and rows come back', async (database) => {
  const seen: CommittedChanges[] = [];
  database.onChanges((batch) => seen.push(...batch));
  const committed = await database.commit(
    setOf((set) => {
      set.add(put, ['a', '1']);
      set.returning(putPosition, ['b', set.takePosition()]);
      set.returning(putPosition, ['c', set.takePosition()]);
      set.change('room', 7);
      set.change('user', '@a:b');
    }),
  );
  assert.deepEqual(committed, {
    positions: [1, 2],
    returned: [[{ key: 'b', value: '1' }], [{ key: 'c', value: '2' }]],
  });
  const changes = [
    { kind: 'room', key: 7 },
    { kind: 'user', key: '@a:b' },
  ];
  assert.deepEqual(seen, [{ position: 2, changes }]);
  assert.equal(database.currentPosition(), 2);
  const rows = [
    { key: 'a', value: '1' },
    { key: 'b', value: '1' },
    { key: 'c', value: '2' },
  ];
  assert.deepEqual(await database.all(list, []), rows);
  assert.deepEqual(await database.long.all(list, []), rows);
  assert.deepEqual(await database.get(list, []), rows[0]);
});

onBothEngines('a guard that does not hold keeps the whole set out', async (database) => {
  await database.commit(setOf((set) => set.guard('taken', 1, putOnce, ['a', '1'])));
  await assert.rejects(
    database.commit(
      setOf((set) => {
        set.add(put, ['b', '2']);
        set.guard('taken', 1, putOnce, ['a', '2']);
        set.change('room', 1);
      }),
    ),
    failsWith('guard-failed', 'taken'),
  );
  assert.deepEqual(await database.all(list, []), [{ key: 'a', value: '1' }]);
});

const groups: number[] = [];
onBothEngines(
  'sets that wait at the same moment are one group, and a poisoned one fails alone',
  async (database) => {
    groups.length = 0;
    const delivered: number[] = [];
    database.onChanges((batch) => delivered.push(...batch.map(({ position }) => position)));
    const one = (key: string) =>
      setOf((set) => {
        set.returning(putPosition, [key, set.takePosition()]);
        set.change('key', key);
      });
    const results = await Promise.allSettled([
      database.commit(one('a')),
      database.commit(setOf((set) => set.guard('g', 1, putOnce, ['a', 'taken']))),
      database.commit(one('b')),
      database.commit(one('a')),
      database.commit(one('c')),
      database.commit(setOf((set) => set.guard('h', 2, put, ['d', 'one row, not two']))),
    ]);
    assert.deepEqual(groups, [6]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled', 'rejected'],
    );
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    assert.ok(failsWith('guard-failed', 'g')(reasons[0]));
    assert.ok(!(reasons[1] instanceof StorageError), 'breaking a constraint is a defect, thrown as it is');
    assert.ok(failsWith('guard-failed', 'h')(reasons[2]));
    assert.deepEqual(delivered, [1, 2, 3]);
    assert.deepEqual(await database.all(list, []), [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
      { key: 'c', value: '3' },
    ]);
    await database.commit(one('e'));
    assert.deepEqual(delivered, [1, 2, 3, 4], 'the sets that failed took no position');
  },
  { metrics: { group: ({ sets }) => groups.push(sets) } },
);

onBothEngines('a statement that does not exist fails its set alone', async (database) => {
  const broken = { name: 'test.broken', text: 'insert into nowhere values ($1)' };
  const results = await Promise.allSettled([
    database.commit(setOf((set) => set.add(put, ['a', '1']))),
    database.commit(setOf((set) => set.add(broken, [1]))),
    database.commit(setOf((set) => set.add(put, ['b', '1']))),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await assert.rejects(database.all({ name: 'test.broken_read', text: 'select x from nowhere' }, []), /nowhere/);
  assert.equal((await database.all(list, [])).length, 2);
});

onBothEngines('lists are JSON, for both engines in the same text', async (database) => {
  await database.commit(setOf((set) => ['B', 'a', 'b', 'ä'].forEach((key) => set.add(put, [key, '']))));
  assert.deepEqual(
    (await database.all(list, [])).map(({ key }) => key),
    ['B', 'a', 'b', 'ä'],
    'text compares bytewise',
  );
  assert.deepEqual(await database.all(listIn, [JSON.stringify(['ä', 'B', 'c'])]), [{ key: 'B' }, { key: 'ä' }]);
  assert.deepEqual(await database.all(numbersIn, ['[3, 4503599627370495]']), [
    { double: 6 },
    { double: 9007199254740990 },
  ]);
  assert.deepEqual(await database.all(members, ['{"b":"2","a":"x"}']), [
    { key: 'a', value: 'x' },
    { key: 'b', value: '2' },
  ]);
  assert.deepEqual(await database.all(pairs, ['[["a",1],["b",2]]']), [
    { name: 'a', count: 1 },
    { name: 'b', count: 2 },
  ]);
  assert.deepEqual(await database.all(named, ['[{"name":"a"},{"name":"b"}]']), [{ name: 'a' }, { name: 'b' }]);
});

onBothEngines('whole numbers are integers in every expression', async (database) => {
  assert.deepEqual(await database.get(arithmetic, [7]), { text: '7', half: 3, big: 7340032 });
  await assert.rejects(database.get(arithmetic, [2 ** 40]), RangeError, 'an unsafe integer is an error');
  await assert.rejects(database.get(arithmetic, [2 ** 60]), RangeError);
});

onBothEngines(
  'more than may wait is refused',
  async (database: Database) => {
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((key) => database.commit(setOf((set) => set.add(put, [key, ''])))),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    );
    const [, , third] = results;
    assert.ok(third?.status === 'rejected' && failsWith('overloaded')(third.reason));
    await database.commit(setOf((set) => set.add(put, ['d', ''])));
  },
  { queue: { sets: 2 } },
);

onBothEngines(
  'numbers of a sequence are handed out once, in runs without holes',
  async (database) => {
    const counts = [1, 1, 7, 30, 2, 100, 1, 24, 3];
    const starts = await Promise.all(counts.map((count) => database.reserveIds('events', count)));
    const taken = starts.flatMap((start, index) =>
      Array.from({ length: counts[index] as number }, (_, offset) => start + offset),
    );
    assert.equal(new Set(taken).size, taken.length);
    assert.ok(taken.every((id) => id >= 1));
    assert.equal(await database.reserveIds('rooms', 1), 1);
  },
  { idBlock: 100 },
);

test('a position in the wrong place is a mistake of the program (SQLite)', async (context) => {
  const database = await openFor(context, temporarySqlite(context));
  const set = createWriteSet();
  set.add(put, ['a', set.takePosition() as unknown as string]);
  await assert.rejects(database.commit(set), /positions/);
});
