import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createTestDatabase, openFor, temporarySqlite } from '@portico/testkit';
import { sql } from '../index.ts';

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

function killedAt(
  failpoint: string,
  engine: string,
  freshUrl: (context: TestContext) => string | Promise<string>,
): void {
  test(`killed at ${failpoint}, everything acknowledged is there and every set is whole (${engine})`, async (context) => {
    const url = await freshUrl(context);
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

for (const failpoint of ['mid-group:20', 'before-commit:20', 'after-commit-before-ack:20']) {
  killedAt(failpoint, 'SQLite', temporarySqlite);
  killedAt(failpoint, 'PostgreSQL', createTestDatabase);
}
killedAt('during-checkpoint:1', 'SQLite', temporarySqlite);
