import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

/** A process that commits one row after the other and says which were acknowledged, until a failpoint kills it. */
const program = (url: string, failpoint: string) => `
  import { createWriteSet, openDatabase, parseFailpoint, sql } from '@portico/storage';
  const put = sql('test.put', 'insert into server_metadata (key, value) values ($1, $2)');
  const database = await openDatabase({ url: ${JSON.stringify(url)}, failpoint: parseFailpoint('${failpoint}') });
  const worker = async (name) => {
    for (let round = 0; ; round++) {
      const set = createWriteSet();
      set.takePosition();
      set.add(put, [name + round, 'x'.repeat(3000)]);
      set.add(put, [name + round + ' second', '']);
      await database.commit(set);
      process.stdout.write(name + round + '\\n');
    }
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(worker));
`;

const keys = sql<{ readonly key: string }>('test.keys', 'select key from server_metadata order by key');

for (const failpoint of ['mid-group:20', 'before-commit:20', 'after-commit-before-ack:20', 'during-checkpoint:1']) {
  test(`killed at ${failpoint}, everything acknowledged is there and every set is whole`, async (context) => {
    const url = temporarySqlite(context);
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(url, failpoint)], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [, signal] = (await once(child, 'close')) as [unknown, string];
    assert.equal(signal, 'SIGKILL');
    const acknowledged = output.split('\n').slice(0, -1);
    assert.ok(acknowledged.length > 10);

    const database = await openFor(context, url);
    const stored = new Set((await database.all(keys, [])).map(({ key }) => key));
    assert.deepEqual(
      acknowledged.filter((key) => !stored.has(key)),
      [],
    );
    for (const key of stored) assert.ok(key.endsWith('second') || stored.has(`${key} second`), `${key} is whole`);
    assert.equal(stored.size, 2 * database.currentPosition());
  });
}
