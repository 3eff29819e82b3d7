import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFor, temporarySqlite } from '@portico/testkit';
import { createWriteSet, sql, StorageError } from '../../index.ts';
import type { Database, WriteSet } from '../../index.ts';

const put = sql<void, [key: string, value: string]>(
  'test.put',
  'insert into server_metadata (key, value) values ($1, $2)',
);
const count = sql<{ readonly rows: number }>('test.count', 'select count(*) as rows from server_metadata');
const remove = sql<void>('test.remove', 'delete from server_metadata');

function setOf(fill: (set: WriteSet) => void): WriteSet {
  const set = createWriteSet();
  fill(set);
  return set;
}

async function fill(database: Database): Promise<{ readonly written: number; readonly error: unknown }> {
  const block = 'x'.repeat(20_000);
  for (let written = 0; ; written++) {
    try {
      await database.commit(setOf((set) => set.add(put, [String(written), block])));
    } catch (error) {
      return { written, error };
    }
  }
}

test('a full disk refuses writes, goes on answering, and recovers by itself', async (context) => {
  const database = await openFor(context, temporarySqlite(context), { maxBytes: 2 * 1024 * 1024 });
  const { written, error } = await fill(database);
  assert.ok(error instanceof StorageError && error.reason === 'disk-full', String(error));
  assert.ok(written > 10);
  assert.equal((await database.get(count, []))?.rows, written, 'everything acknowledged can be read');

  const both = await Promise.allSettled([
    database.commit(setOf((set) => set.add(put, ['huge', 'x'.repeat(100_000)]))),
    database.commit(setOf((set) => set.add(put, ['huge too', 'x'.repeat(100_000)]))),
  ]);
  assert.ok(both.every(({ status }) => status === 'rejected'));

  await database.commit(setOf((set) => set.add(remove, [])));
  await database.commit(setOf((set) => set.add(put, ['again', 'x'.repeat(20_000)])));
  assert.equal((await database.get(count, []))?.rows, 1);
});

test('row IDs beyond the safe integers disturb nothing, as the full-text index gives its own', async (context) => {
  const database = await openFor(context, temporarySqlite(context));
  const keep = sql<void>(
    'test.far-row',
    `insert into account_data (rowid, user_id, room_id, type, content, stream_position)
     values (9008848522182656, 'u', '', 't', '{}', 0)`,
  );
  await database.commit(setOf((set) => set.guard('test.one', 1, keep, [])));
  await database.commit(setOf((set) => set.add(put, ['after', 'value'])));
  const twice = database.commit(setOf((set) => set.add(put, ['after', 'again'])));
  await assert.rejects(twice, /UNIQUE/);
  await database.commit(setOf((set) => set.add(put, ['last', 'value'])));
  assert.equal((await database.get(count, []))?.rows, 2);
});
