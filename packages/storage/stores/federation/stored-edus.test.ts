import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { onBothEngines } from '@portico/testkit';
import type { Database } from '../../database.ts';
import { migrateSqlite } from '../../engines/sqlite/migrate.ts';
import { toSqliteText } from '../../engines/sqlite/sql-text.ts';
import { migrations } from '../../migrations/index.ts';
import { sql, statements } from '../../sql.ts';
import { createWriteSet } from '../../write-set.ts';
import type { QueueBounds } from './queue-bounds.ts';
import { dropDeliveredEdus, queueEdus, queueEdusEach, readQueuedEdus } from './stored-edus.ts';

const countTexts = sql<{ count: number }>('test.stored-edus.count', 'select count(*) as count from stored_edus');

async function queue(
  db: Database,
  hosts: readonly string[],
  contents: readonly string[],
  ofQueue?: QueueBounds,
): Promise<void> {
  const set = createWriteSet();
  queueEdus(
    set,
    '@alice:here',
    hosts,
    contents.map((content) => ({ type: 'm.test', content })),
    ofQueue,
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
  const edu = (content: string, hosts: readonly string[]) => ({
    type: 'm.test',
    content,
    sender: '@alice:here',
    hosts,
  });
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

const bounds: QueueBounds = { unshared: 4, most: 40 };

/** Queues so many EDUs of somebody, the content of which is the sender's name, in one commit. */
async function send(db: Database, sender: string, count: number, hosts: readonly string[] = ['a']): Promise<void> {
  const set = createWriteSet();
  const edus = Array.from({ length: count }, () => ({ type: 'm.test', content: sender }));
  queueEdus(set, sender, hosts, edus, bounds);
  await db.commit(set);
}

async function kept(db: Database, host: string): Promise<Record<string, number>> {
  const senders = Map.groupBy(await waiting(db, host, 1000), (sender) => sender);
  return Object.fromEntries([...senders].map(([name, all]) => [name, all.length]));
}

onBothEngines('whoever sends the most to a server that takes none leaves room for the others', async (db) => {
  const flood = async (sender: string, count: number) => {
    for (let sent = 0; sent < count; sent++) await send(db, sender, 1);
  };
  await flood('mallory', 50);
  // Whoever it is gets in as long as few wait: 4, and of the rest as many as half of what is left.
  assert.deepEqual(await kept(db, 'a'), { mallory: 22 });
  await flood('alice', 2);
  await flood('helper', 50);
  await flood('alice', 1);
  assert.deepEqual(await kept(db, 'a'), { mallory: 22, alice: 3, helper: 8 });
  for (let person = 0; person < 50; person++) await flood(`sybil ${person}`, 1);
  assert.equal((await waiting(db, 'a', 1000)).length, bounds.most);
  assert.equal((await db.get(countTexts, []))?.count, bounds.most, 'what is for nobody is not kept');

  // What is delivered makes room for whoever it was from.
  const set = createWriteSet();
  dropDeliveredEdus(set, 'a', await readQueuedEdus(db, 'a', 20));
  await db.commit(set);
  await flood('mallory', 50);
  const { mallory, alice, helper } = await kept(db, 'a');
  assert.deepEqual([mallory, alice, helper], [11, 3, 8]);
});

onBothEngines('a commit of many EDUs takes no more room than as many commits', async (db) => {
  await send(db, 'mallory', 50, ['a', 'b']);
  await send(db, 'mallory', 50, ['b']);
  const { mallory = 0 } = await kept(db, 'a');
  assert.ok(mallory > 10 && mallory <= 22, String(mallory));
  await send(db, 'alice', 3, ['a', 'b', 'c']);
  assert.deepEqual(await kept(db, 'a'), { mallory, alice: 3 });
  assert.deepEqual(await kept(db, 'c'), { alice: 3 });
  const set = createWriteSet();
  const edu = (sender: string) => ({ type: 'm.test', content: sender, sender, hosts: ['b'] });
  queueEdusEach(set, [...Array.from({ length: 50 }, () => edu('mallory')), edu('bob')], bounds);
  await db.commit(set);
  const { bob, mallory: most = 0 } = await kept(db, 'b');
  assert.equal(bob, 1);
  assert.ok(most <= 22, String(most));
});

onBothEngines('a large EDU takes the room of several', async (db) => {
  for (let count = 0; count < 10; count++) await queue(db, ['a'], ['x'.repeat(9000)], { unshared: 7, most: 7 });
  assert.equal((await waiting(db, 'a')).length, 3);
});

function planOf(statement: string): string[] {
  const sqlite = new DatabaseSync(':memory:');
  migrateSqlite(sqlite, migrations);
  const text = toSqliteText(statements.get(statement)?.text ?? '');
  const plan = sqlite.prepare(`explain query plan ${text}`).all();
  sqlite.close();
  return plan.map((row) => String(row['detail']));
}

test('how much somebody has waiting for a server is found without reading what waits', () => {
  const plan = planOf('stored-edu-hosts.insert');
  assert.equal(plan.filter((step) => step.includes('stored_edu_hosts_by_sender (host=? AND sender=?')).length, 2);
  assert.equal(plan.filter((step) => step.includes('USING PRIMARY KEY (host=?)')).length, 2);
});

test('an EDU that some server is to get is found by an index: a message for ten thousand servers is as many', () => {
  const plan = planOf('stored-edus.insert');
  assert.equal(plan.filter((step) => step.includes('stored_edu_hosts_by_edu (position=? AND seq=?)')).length, 1);
});
