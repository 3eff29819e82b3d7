import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@portico/testkit/until.ts';
import { OutboundError } from '../outbound-error.ts';
import { createNameTurns } from './name-turns.ts';

const failsWith = (failure: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof OutboundError, String(error));
  assert.equal(error.failure, failure);
  assert.match(error.message, message);
  return true;
};

/** Work that does not end before it is told to, and whether it was told to give up. */
function openWork() {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  const seen: { signal?: AbortSignal } = {};
  const work = (signal: AbortSignal) => {
    seen.signal = signal;
    return promise;
  };
  return { work, seen, resolve, reject };
}

test('names that were not found never take all the turns', async () => {
  const turns = createNameTurns({ atOnce: 3, doubtful: 2, time: 60_000 });
  assert.equal(await turns.run('known.test', async () => 'here'), 'here');
  const silent = Array.from({ length: 5 }, openWork);
  const asked = silent.map(({ work }, index) => turns.run(`silent${index}.test`, work));
  const begun = () => silent.filter(({ seen }) => seen.signal !== undefined).length;
  await until(() => begun() === 2, 'both have begun');
  assert.equal(await turns.run('known.test', async () => 'still here'), 'still here');
  silent[0]?.reject(new Error('no'));
  await assert.rejects(asked[0] ?? Promise.resolve(), /no/);
  await until(() => silent[2]?.seen.signal, 'the next one had its turn');
  assert.equal(begun(), 3);
  for (const { resolve } of silent) resolve(undefined);
  await Promise.all(asked.slice(1));
  assert.equal(turns.size, 0);
});

test('one that is not found any more waits like all others', async () => {
  const turns = createNameTurns({ atOnce: 2, doubtful: 1, time: 60_000 });
  await turns.run('a.test', async () => 'here');
  await turns.run('a.test', async () => undefined);
  const silent = openWork();
  const first = turns.run('silent.test', silent.work);
  const second = openWork();
  const later = turns.run('a.test', second.work);
  assert.equal(second.seen.signal, undefined);
  silent.resolve('found');
  second.resolve('found');
  assert.deepEqual(await Promise.all([first, later]), ['found', 'found']);
});

test('when the time is up it is given up, and a turn that cannot be goes on', async () => {
  const turns = createNameTurns({ atOnce: 1, doubtful: 1, time: 20 });
  const silent = openWork();
  const waiting = openWork();
  const asked = turns.run('silent.test', silent.work);
  const behind = turns.run('behind.test', waiting.work);
  await assert.rejects(asked, failsWith('unknown-host', /within 0.02 seconds where silent\.test is/));
  await assert.rejects(behind, failsWith('busy', /behind\.test had no turn/));
  assert.equal(silent.seen.signal?.aborted, true);
  assert.equal(turns.size, 1);
  silent.resolve(undefined);
  await until(() => turns.size === 0, 'the turn has ended');
  assert.equal(waiting.seen.signal, undefined);
  assert.equal(await turns.run('behind.test', async () => 'here'), 'here');
});

test('no more than a number of names wait', async () => {
  const turns = createNameTurns({ atOnce: 1, doubtful: 1, time: 60_000 });
  const silent = openWork();
  const asked = Array.from({ length: 2001 }, (_, index) => turns.run(`n${index}`, silent.work));
  await assert.rejects(turns.run('another.test', silent.work), failsWith('busy', /Too many names/));
  silent.resolve('here');
  await Promise.all(asked);
});
