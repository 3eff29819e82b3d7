import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFetchLimits } from './fetch-limits.ts';

test('of many at the same time one fetches, and all wait for it', async () => {
  const limits = createFetchLimits(() => 0);
  const gate = Promise.withResolvers<boolean>();
  let fetches = 0;
  const runs = Array.from({ length: 10 }, () =>
    limits.run('a.org', () => {
      fetches++;
      return gate.promise;
    }),
  );
  gate.resolve(true);
  await Promise.all(runs);
  assert.equal(fetches, 1);
});

test('nobody is asked again soon, and who does not answer less and less', async () => {
  let now = 0;
  const limits = createFetchLimits(() => now);
  const times: number[] = [];
  let answers = false;
  const run = (): Promise<void> =>
    limits.run('a.org', () => {
      times.push(now);
      return Promise.resolve(answers);
    });
  for (; now < 60_000; now += 500) await run();
  assert.deepEqual(times, [0, 2000, 6000, 14_000, 30_000]);
  answers = true;
  times.length = 0;
  for (now = 100_000; now < 165_000; now += 500) await run();
  assert.deepEqual(times, [100_000, 130_000, 160_000]);
});

test('a few are asked at once, whoever else waits; and not everybody may wait', async () => {
  const limits = createFetchLimits(() => 0);
  const gate = Promise.withResolvers<boolean>();
  let running = 0;
  let most = 0;
  let fetched = 0;
  const runs = Array.from({ length: 1000 }, (_, index) =>
    limits.run(`${index}.org`, async () => {
      most = Math.max(most, ++running);
      await gate.promise;
      running--;
      fetched++;
      return true;
    }),
  );
  gate.resolve(true);
  await Promise.all(runs);
  assert.equal(most, 16);
  assert.equal(fetched, 516);
});

test('a fetch that breaks is a failure, and frees its place', async () => {
  const limits = createFetchLimits(() => 0);
  for (let index = 0; index < 40; index++) {
    await assert.rejects(
      limits.run(`${index}.org`, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
  }
});
