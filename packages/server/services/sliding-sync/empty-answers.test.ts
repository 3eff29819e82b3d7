import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Database, Reader } from '@portico/storage';
import { bob, carol, type PartitionedServer, partition } from '@portico/testkit/partition.ts';
import { openSlidingSync } from '@portico/testkit/sliding-sync.ts';

/** A process with a memory of its own, and how often it has turned to the database since that was last asked. */
function startProcess(context: TestContext, { db, states }: PartitionedServer) {
  let count = 0;
  const counted = <R extends Reader>(reader: R): R => ({
    ...reader,
    all: (statement, params) => {
      count += 1;
      return reader.all(statement, params);
    },
    get: (statement, params) => {
      count += 1;
      return reader.get(statement, params);
    },
  });
  const own: Database = {
    ...counted(db),
    long: counted(db.long),
    commit: (set) => {
      count += 1;
      return db.commit(set);
    },
  };
  const { slide, close } = openSlidingSync({ db: own, states });
  context.after(close);
  return {
    async slide(roomId: string, limit: number, pos?: string) {
      count = 0;
      const body = await slide(carol, { [roomId]: { limit, required: [['m.room.name', '']] } }, pos);
      return { ...body, count };
    },
  };
}

test('while nothing happens nothing is read or written, by whichever process has answered last', async (context) => {
  const { b, roomId } = await partition(context, '12');
  const one = startProcess(context, b);
  const say = (n: number) => b.rooms.send(bob, roomId, 'm.room.message', `t${n}`, { msgtype: 'm.text', body: `${n}` });
  const first = await one.slide(roomId, 5);
  assert.ok(first.count > 0 && first.rooms[roomId] !== undefined);
  let { pos } = first;
  const isQuiet = async ({ slide }: typeof one, limit = 5) => {
    const answer = await slide(roomId, limit, pos);
    assert.deepEqual([answer.rooms, answer.count], [{}, 0]);
    ({ pos } = answer);
  };
  // Whatever is different has to be looked at, once.
  for (let n = 0; n < 3; n++) {
    for (let again = 0; again < 3; again++) await isQuiet(one);
    await say(n);
    const news = await one.slide(roomId, 5, pos);
    assert.equal(news.rooms[roomId]?.timeline?.length, 1);
    assert.ok(news.count > 0);
    ({ pos } = news);
  }
  const wider = await one.slide(roomId, 20, pos);
  assert.ok(wider.count > 0 && wider.rooms[roomId] !== undefined);
  ({ pos } = wider);
  await isQuiet(one, 20);

  // Another process, or the same one after a restart, knows nothing, and then as much.
  const other = startProcess(context, b);
  const there = await other.slide(roomId, 20, pos);
  assert.ok(there.count > 0);
  assert.deepEqual(there.rooms, {});
  ({ pos } = there);
  await isQuiet(other, 20);
  await isQuiet(one, 20);
  await say(4);
  for (const { slide } of [other, one]) {
    assert.equal((await slide(roomId, 20, pos)).rooms[roomId]?.timeline?.length, 1);
  }
  await b.rooms.leave(carol, roomId, undefined);
  const left = await one.slide(roomId, 20, pos);
  assert.ok(left.count > 0 && left.rooms[roomId] !== undefined);
});
