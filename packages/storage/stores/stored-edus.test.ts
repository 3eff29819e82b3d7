import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import type { Database } from '../database.ts';
import { sql } from '../sql.ts';
import { createWriteSet } from '../write-set.ts';
import { dropDeliveredEdus, maxQueuedEdus, queueEdus, queueEdusEach, readQueuedEdus } from './stored-edus.ts';

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

onBothEngines('each EDU of a commit is for servers of its own', async (db) => {
  const set = createWriteSet();
  const edu = (content: string, hosts: readonly string[]) => ({ type: 'm.test', content, hosts });
  queueEdusEach(set, [edu('1', ['a']), edu('2', ['a', 'b']), edu('3', []), edu('4', ['b'])]);
  await db.commit(set);
  assert.deepEqual(
    [await waiting(db, 'a'), await waiting(db, 'b')],
    [
      ['1', '2'],
      ['2', '4'],
    ],
  );
  assert.equal((await db.get(countTexts, []))?.count, 3);
  assert.equal(set.changes.map(({ key }) => key).join(), 'a,b');
});

onBothEngines('a server that takes none gets no more than its queue holds', async (db) => {
  const edu = { type: 'm.test', content: '1', hosts: ['a'] };
  for (let count = 0; count < 3; count++) {
    const set = createWriteSet();
    queueEdusEach(
      set,
      Array.from({ length: maxQueuedEdus / 2 }, () => edu),
    );
    await db.commit(set);
  }
  assert.equal((await waiting(db, 'a', 2 * maxQueuedEdus)).length, maxQueuedEdus);
  assert.equal((await db.get(countTexts, []))?.count, maxQueuedEdus);
});
