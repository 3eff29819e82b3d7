import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFetchLimits, type KeyFetch } from './fetch-limits.ts';

const known: KeyFetch = { owner: '', isKnown: true, patience: 60_000 };

test('of many at the same time one fetches, and all wait for it', async () => {
  const limits = createFetchLimits(() => 0);
  const gate = Promise.withResolvers<boolean>();
  let fetches = 0;
  const runs = Array.from({ length: 10 }, () =>
    limits.run('a.org', known, () => {
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
    limits.run('a.org', known, () => {
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
    limits.run(`${index}.org`, known, async () => {
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
      limits.run(`${index}.org`, known, () => Promise.reject(new Error('broken'))),
      /broken/,
    );
  }
});

test('servers that were made up keep nobody from the keys of those that are known, and one address no other', async () => {
  const limits = createFetchLimits(() => 0);
  const gate = Promise.withResolvers<boolean>();
  const asked: string[] = [];
  const fetch = (name: string, how: Partial<KeyFetch>, answer = gate.promise) =>
    limits.run(name, { ...known, ...how }, () => {
      asked.push(name);
      return answer;
    });
  const invented = Array.from({ length: 300 }, (_, index) =>
    fetch(`invented${index}.org`, { owner: '6.6.6.6', isKnown: false }),
  );
  await new Promise(setImmediate);
  assert.equal(asked.length, 16);
  await fetch('known.org', { owner: '1.1.1.1' }, Promise.resolve(true));
  const stranger = fetch('new.org', { owner: '1.1.1.1', isKnown: false }, Promise.resolve(true));
  assert.deepEqual(asked.slice(16), ['known.org']);
  gate.resolve(false);
  await stranger;
  assert.ok(asked.indexOf('new.org') < 20, 'it had its turn after one or two of the others');
  await Promise.all(invented);
});

test('who cannot wait goes on without, and the server counts as not asked', async () => {
  const limits = createFetchLimits(() => 0);
  const gate = Promise.withResolvers<boolean>();
  const slow = Array.from({ length: 16 }, (_, index) => limits.run(`${index}.org`, known, () => gate.promise));
  let fetches = 0;
  const fetch = () => Promise.resolve(++fetches > 0);
  await limits.run('a.org', { ...known, patience: 10 }, fetch);
  assert.equal(fetches, 0);
  gate.resolve(true);
  await Promise.all(slow);
  await limits.run('a.org', known, fetch);
  assert.equal(fetches, 1);
});

test('who asks in the name of a server does not hold up others who want its keys, and one fetch is for all', async () => {
  const limits = createFetchLimits(() => 0);
  const gates = Array.from({ length: 16 }, () => Promise.withResolvers<boolean>());
  const asked: string[] = [];
  const fetch = (name: string, owner: string, answer: Promise<boolean>) =>
    limits.run(name, { owner, isKnown: false, patience: 60_000 }, () => {
      asked.push(`${name} for ${owner}`);
      return answer;
    });
  const hanging = gates.map(({ promise }, index) => fetch(`${index}.org`, '6.6.6.6', promise));
  const never = Promise.withResolvers<boolean>();
  const waiting = Array.from({ length: 100 }, (_, index) => fetch(`more${index}.org`, '6.6.6.6', never.promise));
  const forged = fetch('new.org', '6.6.6.6', never.promise);
  const own = fetch('new.org', '1.1.1.1', Promise.resolve(true));
  const another = fetch('new.org', '2.2.2.2', Promise.resolve(true));
  for (const gate of gates.slice(0, 2)) {
    gate.resolve(false);
    await new Promise(setImmediate);
  }
  await Promise.all([own, another, forged]);
  assert.deepEqual(
    asked.filter((each) => each.startsWith('new.org')),
    ['new.org for 1.1.1.1'],
  );
  never.resolve(false);
  for (const gate of gates) gate.resolve(false);
  await Promise.all([...hanging, ...waiting]);
  assert.equal(limits.waiting, 0);
});
