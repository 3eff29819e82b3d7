import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@portico/testkit/until.ts';
import { createLanes } from './lanes.ts';

test('those that fail wait for each other, and nobody else for them', async () => {
  const lanes = createLanes({ healthy: 2, failing: 1 });
  const stuck = Promise.withResolvers<void>();
  const done: string[] = [];
  const first = lanes.run('failing', () => stuck.promise);
  const second = lanes.run('failing', async () => void done.push('failing'));
  await Promise.all(
    Array.from({ length: 5 }, (_, index) => lanes.run('healthy', async () => void done.push(`healthy ${index}`))),
  );
  assert.deepEqual(
    done,
    [0, 1, 2, 3, 4].map((index) => `healthy ${index}`),
  );
  assert.deepEqual([lanes.waiting('failing'), lanes.waiting('healthy')], [1, 0]);
  stuck.resolve();
  await Promise.all([first, second]);
  assert.equal(done.at(-1), 'failing');
});

test('no more are under way than a lane has place for, and one that breaks makes place', async () => {
  const lanes = createLanes({ healthy: 2, failing: 1 });
  let [under, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++under);
    await new Promise(setImmediate);
    under--;
    throw new Error('broken');
  };
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => lanes.run('healthy', work)));
  assert.ok(results.every(({ status }) => status === 'rejected'));
  assert.equal(most, 2);
});

test('the first one starts in the turn in which it comes, and each of the others in a turn of its own', async () => {
  const lanes = createLanes();
  let turn = 0;
  const started: number[] = [];
  const runs = Array.from({ length: 3 }, () => lanes.run('healthy', async () => void started.push(turn)));
  await Promise.resolve();
  for (turn = 1; turn <= 3; turn++) await new Promise(setImmediate);
  await Promise.all(runs);
  assert.equal(started[0], 0);
  assert.equal(new Set(started).size, 3);
});

test('those that answered until now and hang give up their places, but not any number of them', async () => {
  const lanes = createLanes({ healthy: 2, slow: 3, patience: 5 });
  const stuck = Promise.withResolvers<void>();
  let started = 0;
  const hanging = Array.from({ length: 8 }, () =>
    lanes.run('healthy', () => {
      started++;
      return stuck.promise;
    }),
  );
  await until(() => started === 5, 'three have given up their places');
  assert.equal(lanes.waiting('healthy'), 3, 'nobody else may');
  stuck.resolve();
  await Promise.all(hanging);

  // All places are there again.
  let [under, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++under);
    await new Promise(setImmediate);
    under--;
  };
  await Promise.all(Array.from({ length: 6 }, () => lanes.run('healthy', work)));
  assert.equal(most, 2);
});

test('one that hangs when there are too many of these gives up its place as soon as there are not', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const settle = () => new Promise(setImmediate);
  const lanes = createLanes({ healthy: 1, slow: 1, patience: 5 });
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const started: string[] = [];
  const run = (name: string, end: Promise<void>) =>
    lanes.run('healthy', () => {
      started.push(name);
      return end;
    });
  const all = [run('first', first.promise), run('second', second.promise), run('third', Promise.resolve())];
  await settle();
  context.mock.timers.tick(5);
  await settle();
  context.mock.timers.tick(5);
  await settle();
  assert.deepEqual(started, ['first', 'second'], 'there is no more patience with the second one, either');
  first.resolve();
  await settle();
  assert.deepEqual(started, ['first', 'second', 'third']);
  second.resolve();
  await Promise.all(all);
});
