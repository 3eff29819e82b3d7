import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import type { Database } from '../../database.ts';
import { sql } from '../../sql.ts';
import { createWriteSet } from '../../write-set.ts';
import {
  addStickyEvent,
  dropExpiredStickyEvents,
  endStickiness,
  maxStickyOfSender,
  readStickyEnds,
  readStickyEndsSoonest,
  readStickyToRelease,
  releaseStickyEvent,
} from './sticky-events.ts';
import { readStickyNews } from './sticky-reads.ts';

const countAll = sql<{ count: number }>('test.sticky-events.count', 'select count(*) as count from sticky_events');
const count = async (db: Database) => (await db.get(countAll, []))?.count;
const start = { since: -1, position: Number.MAX_SAFE_INTEGER, eventNid: Number.MAX_SAFE_INTEGER };

type Added = { readonly nid: number; readonly room?: number; readonly sender?: string; readonly until?: number };

async function add(db: Database, events: readonly Added[], at = 0, isSoftFailed = false): Promise<void> {
  const set = createWriteSet();
  for (const { nid: eventNid, room: roomNid = 1, sender = 'alice', until = 1000 } of events) {
    const stickiness = { durationMs: until - at, until, at, isOwn: false };
    addStickyEvent(set, { eventNid, roomNid, sender }, stickiness, isSoftFailed ? undefined : set.takePosition());
  }
  await db.commit(set);
}

async function told(db: Database, rooms: readonly number[], now = 0, ignored: readonly string[] = []) {
  const range = { after: start, upTo: db.currentPosition(), now, ignored: new Set(ignored), limit: 1000 };
  return (await readStickyNews(db, 'reader', rooms, range)).map((row) => row.event_nid);
}

const numbers = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

onBothEngines(
  'people are told of those of their rooms that have not ended, in the order in which they came',
  async (db) => {
    await add(db, [{ nid: 1 }, { nid: 2, room: 2 }, { nid: 3, until: 500 }, { nid: 4, sender: 'bob' }]);
    assert.deepEqual(await told(db, [1]), [1, 3, 4]);
    assert.deepEqual(await told(db, [2, 1]), [1, 2, 3, 4]);
    assert.deepEqual(await told(db, [1], 500), [1, 4]);
    assert.deepEqual(await told(db, [1], 0, ['alice']), [4]);
    assert.deepEqual(await told(db, []), []);
    // What has ended when it comes is none.
    await add(db, [{ nid: 5, until: 400 }], 400);
    assert.deepEqual(await told(db, [1]), [1, 3, 4]);
    const set = createWriteSet();
    endStickiness(set, 1);
    await db.commit(set);
    assert.deepEqual(await told(db, [1]), [3, 4]);
  },
);

onBothEngines('more of one person in one room wait until others have ended', async (db) => {
  const ended = numbers(1, 2).map((nid) => ({ nid, until: 500 }));
  await add(db, [...ended, ...numbers(3, maxStickyOfSender - 2).map((nid) => ({ nid }))]);
  const late = numbers(1001, 3);
  await add(db, [...late.map((nid) => ({ nid })), { nid: 2000, sender: 'bob' }, { nid: 3000, room: 2 }]);
  const all = numbers(1, maxStickyOfSender);
  assert.deepEqual(await told(db, [1, 2]), [...all, 2000, 3000]);
  assert.deepEqual(await readStickyToRelease(db, 499, 10), []);
  assert.equal((await readStickyEnds(db, 1, 'alice', 0, maxStickyOfSender + 10)).length, maxStickyOfSender + 3);

  const free = await readStickyToRelease(db, 500, 10);
  assert.deepEqual(
    free.map((row) => row.event_nid),
    late.slice(0, 2),
  );
  const set = createWriteSet();
  for (const event of free) releaseStickyEvent(set, event, set.takePosition());
  await db.commit(set);
  assert.deepEqual((await told(db, [1], 500)).slice(-3), [2000, 1001, 1002]);
  assert.deepEqual(await readStickyToRelease(db, 500, 10), []);
});

onBothEngines('no more are let go on than there is place for in their room, whoever sent them', async (db) => {
  const waiting = maxStickyOfSender + 2;
  const of = (sender: string, first: number) =>
    numbers(first, waiting).map((nid, index) => ({ nid, sender, until: index < 2 ? 500 : 1000 }));
  await add(db, [...of('alice', 1), ...of('bob', 1001)]);
  const free = async (ofRoom: number) =>
    (await readStickyToRelease(db, 500, 10, { ofSender: maxStickyOfSender, ofRoom })).map((row) => row.event_nid);
  const told = 2 * (maxStickyOfSender - 2);
  assert.deepEqual(await free(told), []);
  assert.deepEqual(await free(told + 1), [maxStickyOfSender + 1]);
  const first = [maxStickyOfSender + 1, maxStickyOfSender + 2];
  assert.deepEqual(await free(told + 10), [...first, ...first.map((nid) => 1000 + nid)]);
});

onBothEngines('what has ended is dropped, so many at a time', async (db) => {
  assert.equal(await readStickyEndsSoonest(db), undefined);
  await add(db, [{ nid: 1, until: 300 }, { nid: 2, until: 100 }, { nid: 3, until: 200 }, { nid: 4 }]);
  assert.equal(await readStickyEndsSoonest(db), 100);
  const drop = async (now: number, limit: number) => {
    const set = createWriteSet();
    dropExpiredStickyEvents(set, now, limit);
    await db.commit(set);
  };
  await drop(200, 1);
  assert.equal(await count(db), 3);
  await drop(200, 10);
  assert.deepEqual([await count(db), await readStickyEndsSoonest(db)], [2, 300]);
});

onBothEngines('who failed softly is not told of, and has a place once that is over', async (db) => {
  await add(db, [{ nid: 1 }], 0, true);
  assert.deepEqual([await told(db, [1]), await readStickyToRelease(db, 0, 10)], [[], []]);
  // The same again, and then otherwise.
  await add(db, [{ nid: 1 }], 0, true);
  await add(db, [{ nid: 1 }]);
  assert.deepEqual([await told(db, [1]), await count(db)], [[1], 1]);
});
