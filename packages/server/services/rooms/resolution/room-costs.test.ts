import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRoomCosts } from './room-costs.ts';

/** Work that goes on until a test says so. */
function open() {
  let now = 0;
  const costs = createRoomCosts(() => now);
  const begin = (roomNid: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const done = costs.during(roomNid, () => promise);
    return {
      end: () => (resolve(), done),
      fail: () => (reject(new Error('broken')), assert.rejects(done)),
    };
  };
  return { costs, begin, pass: (milliseconds: number) => void (now += milliseconds) };
}

test('what is computed for several rooms at the same time is shared among them', async () => {
  const { costs, begin, pass } = open();
  pass(1000);
  const first = begin(1);
  pass(10);
  const second = begin(2);
  pass(10);
  await first.end();
  pass(10);
  await second.fail();
  pass(1000);
  assert.deepEqual([costs.take(1), costs.take(2), costs.take(3)], [15, 15, 0]);
  assert.equal(costs.take(1), 0, 'it is told once');
  const third = begin(1);
  pass(5);
  await third.end();
  assert.equal(costs.take(1), 5);
  assert.equal(costs.total, 35);
});

test('of rooms about which nobody asks no more than some are remembered', async () => {
  const { costs, begin, pass } = open();
  for (let roomNid = 0; roomNid <= 1000; roomNid++) {
    const work = begin(roomNid);
    pass(1);
    await work.end();
  }
  assert.deepEqual([costs.take(0), costs.take(1000)], [0, 1]);
});
