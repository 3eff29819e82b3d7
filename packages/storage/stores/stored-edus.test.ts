import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import type { Database } from '../database.ts';
import { sql } from '../sql.ts';
import { createWriteSet } from '../write-set.ts';
import { dropDeliveredEdus, queueEdus, readQueuedEdus } from './stored-edus.ts';

const countTexts = sql<{ count: number }>('test.stored-edus.count', 'select count(*) as count from stored_edus');

async function queue(db: Database, hosts: readonly string[], contents: readonly string[]): Promise<void> {
  const set = createWriteSet();
  queueEdus(
    set,
    hosts,
    contents.map((content) => ({ type: 'm.test', content })),
  );
  await db.commit(set);
}

const waiting = async (db: Database, host: string, limit = 10) =>
  (await readQueuedEdus(db, host, limit)).map(({ content }) => content);

onBothEngines('a server gets its EDUs in the order of their commits, until it has acknowledged them', async (db) => {
  await queue(db, ['a', 'b'], ['1', '2']);
  await queue(db, ['b'], ['3']);
  await queue(db, ['a', 'b'], ['4']);
  assert.deepEqual(await waiting(db, 'a'), ['1', '2', '4']);
  assert.deepEqual(await waiting(db, 'b', 3), ['1', '2', '3']);

  const set = createWriteSet();
  dropDeliveredEdus(set, 'b', await readQueuedEdus(db, 'b', 3));
  await db.commit(set);
  assert.deepEqual(await waiting(db, 'a'), ['1', '2', '4']);
  assert.deepEqual(await waiting(db, 'b'), ['4']);
  assert.equal((await db.get(countTexts, []))?.count, 3, 'what nobody has to get any more is gone');

  const rest = createWriteSet();
  dropDeliveredEdus(rest, 'a', await readQueuedEdus(db, 'a', 10));
  dropDeliveredEdus(rest, 'b', await readQueuedEdus(db, 'b', 10));
  await db.commit(rest);
  assert.equal((await db.get(countTexts, []))?.count, 0);
});
