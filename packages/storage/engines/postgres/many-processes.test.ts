import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase, openFor, startTestPostgres } from '@portico/testkit';
import { until } from '@portico/testkit/until.ts';
import { connectPostgres } from './client.ts';
import { createWriteSet, openDatabase, sql, StorageError } from '../../index.ts';
import type { CommittedChanges, Database, PositionParam, WriteSet } from '../../index.ts';

type Row = { readonly key: string; readonly value: string };

const put = sql<void, [key: string, position: PositionParam]>(
  'test.put_position',
  'insert into server_metadata (key, value) values ($1, cast(position($2) as text))',
);
const values = sql<Pick<Row, 'value'>>('test.values', "select value from server_metadata where key in ('x', 'y')");
const list = sql<Row>('test.list', 'select key, value from server_metadata order by cast(value as bigint)');

function one(key: string): WriteSet {
  const set = createWriteSet();
  set.add(put, [key, set.takePosition()]);
  set.change('key', key);
  return set;
}

const keysOf = (batches: readonly CommittedChanges[]) =>
  batches.flatMap(({ changes }) => changes.map(({ key }) => String(key)));

test('two processes write at once: positions are in commit order and every reader sees every change once', async (context) => {
  const url = await createTestDatabase();
  const databases = [await openFor(context, url), await openFor(context, url)] as const;
  const seen = databases.map((): CommittedChanges[] => []);
  databases.forEach((database, index) => {
    database.onChanges((batch) => {
      seen[index]?.push(...batch);
      // What a listener is told can be read, and nothing before it is missing.
      const upTo = batch.at(-1)?.position ?? 0;
      assert.ok(database.currentPosition() >= upTo);
    });
  });

  const perWriter = 40;
  const writer = async (database: Database, name: string) => {
    for (let round = 0; round < perWriter; round++) {
      const key = `${name}.${round}`;
      const { positions } = await database.commit(one(key));
      const own = seen[databases.indexOf(database)]?.find(({ position }) => position === positions[0]);
      assert.deepEqual(own?.changes, [{ kind: 'key', key }], 'own changes are delivered before the acknowledgement');
    }
  };
  const writers = Array.from({ length: 8 }, (_, index) => writer(databases[index % 2] as Database, `w${index}`));
  await Promise.all(writers);

  const total = 8 * perWriter;
  await until(() => databases.every((database) => database.currentPosition() === total), 'both have heard of all');
  const rows = await databases[0].all(list, []);
  assert.deepEqual(
    rows.map(({ value }) => Number(value)),
    Array.from({ length: total }, (_, index) => index + 1),
  );
  for (const batches of seen) {
    assert.deepEqual(
      keysOf(batches),
      rows.map(({ key }) => key),
      'in order of position, each once',
    );
  }
});

test('who catches up has heard of all that other processes had committed by then, and a process by itself has nothing to wait for', async (context) => {
  const url = await createTestDatabase();
  const database = await openFor(context, url);
  for (let round = 0; round < 20; round++) await database.commit(one(`alone ${round}`));
  assert.equal(database.catchUp(), undefined);
  const other = await openFor(context, url);
  for (const each of [database, other]) await until(() => each.catchUp() !== undefined, 'each knows of the other');
  let heard = 0;
  database.onChanges((batch) => {
    heard += batch.length;
  });
  for (let round = 0; round < 50; round++) {
    await other.commit(one(`other ${round}`));
    await database.catchUp();
    assert.equal(database.currentPosition(), other.currentPosition());
    assert.equal(heard, round + 1);
  }
});

const write = sql<void, [key: string, value: string]>(
  'test.write',
  'insert into server_metadata (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value',
);

function writeAll(keys: readonly string[], value: string): WriteSet {
  const set = createWriteSet();
  for (const key of keys) set.add(write, [key, value]);
  return set;
}

test('two processes that write the same rows in opposite orders wait for each other, also where no position is taken', async (context) => {
  const url = await createTestDatabase();
  const [one, other] = [await openFor(context, url), await openFor(context, url)];
  const keys = Array.from({ length: 300 }, (_, index) => `key ${index}`);
  const reversed = keys.toReversed();
  await one.commit(writeAll(keys, ''));
  for (let turn = 0; turn < 10; turn++) {
    await Promise.all([one.commit(writeAll(keys, 'one')), other.commit(writeAll(reversed, 'other'))]);
  }
});

test('a group of writes that PostgreSQL undoes for the sake of another program is written after that', async (context) => {
  const url = await createTestDatabase();
  const database = await openFor(context, url);
  await database.commit(writeAll(['x', 'y'], ''));
  const program = await connectPostgres({ url });
  context.after(() => program.end());
  // Whoever looks for a deadlock first is undone: not this one.
  await program.query("set deadlock_timeout = '10min'");
  const update = (key: string) => program.query(`update server_metadata set value = '-' where key = '${key}'`);
  await program.query('begin');
  await update('y');
  const written = database.commit(writeAll(['x', 'y'], 'written'));
  const isWaiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await until(async () => (await program.query(isWaiting)).rowCount === 1, 'the group waits for the other program');
  await update('x');
  await program.query('commit');
  await written;
  const rows = await database.all(values, []);
  assert.deepEqual(
    rows.map(({ value }) => value),
    ['written', 'written'],
  );
});

test('numbers of a sequence are never handed out twice by two processes', async (context) => {
  const url = await createTestDatabase();
  const databases = [await openFor(context, url, { idBlock: 10 }), await openFor(context, url, { idBlock: 10 })];
  const taken = await Promise.all(
    Array.from({ length: 100 }, (_, index) => (databases[index % 2] as Database).reserveIds('events', 1)),
  );
  assert.equal(new Set(taken).size, taken.length);
});

test('a server that goes away and comes back loses nothing that was acknowledged', async (context) => {
  const server = await startTestPostgres();
  const database = await openDatabase({ url: server.url });
  context.after(async () => {
    await database.close();
    await server.stop();
  });
  const seen: CommittedChanges[] = [];
  database.onChanges((batch) => seen.push(...batch));

  const acknowledged: string[] = [];
  const reasons = new Set<string>();
  const state = { stop: false };
  context.after(() => {
    state.stop = true;
  });
  const writer = async (name: string) => {
    for (let round = 0; !state.stop; round++) {
      const key = `${name}.${round}`;
      try {
        await database.commit(one(key));
        acknowledged.push(key);
      } catch (error) {
        assert.ok(error instanceof StorageError, String(error));
        reasons.add(error.reason);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  const writers = ['a', 'b', 'c', 'd'].map(writer);
  await until(() => acknowledged.length > 50, 'there is a load');
  for (const how of ['kill', 'fast'] as const) {
    const before = acknowledged.length;
    await server.halt(how);
    await until(() => reasons.has('unavailable'), 'a write is refused');
    await assert.rejects(
      database.all(list, []),
      (error) => error instanceof StorageError && error.reason === 'unavailable',
    );
    reasons.delete('unavailable');
    await server.resume();
    await until(() => acknowledged.length > before + 50, 'writes go on');
  }
  state.stop = true;
  await Promise.all(writers);

  const answers = await until(() => database.all(list, []).catch(() => undefined), 'reads are answered');
  const stored = new Set(answers.map(({ key }) => key));
  assert.deepEqual(
    acknowledged.filter((key) => !stored.has(key)),
    [],
  );
  assert.ok([...reasons].every((reason) => reason === 'unavailable' || reason === 'outcome-unknown'));
  await until(() => database.currentPosition() === Number(answers.at(-1)?.value), 'it has heard of all');
  assert.deepEqual(
    keysOf(seen),
    answers.map(({ key }) => key),
    'changes of every set that was written, also of those whose outcome was unknown, in order',
  );
});
