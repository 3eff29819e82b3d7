import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bigFork } from '@portico/testkit/big-fork.ts';
import { resolveConflicts } from './resolve.ts';

/** Milliseconds of processor time, and megabytes of heap at most if nothing is collected meanwhile. */
function measure(run: () => void): { readonly milliseconds: number; readonly megabytes: number } {
  const heap = process.memoryUsage().heapUsed;
  const start = process.cpuUsage();
  run();
  const { user } = process.cpuUsage(start);
  return { milliseconds: user / 1000, megabytes: (process.memoryUsage().heapUsed - heap) / 2 ** 20 };
}

for (const version of ['2', '12']) {
  test(`room version ${version}: two forks over an auth chain of 100,000 power levels resolve at once`, () => {
    const { rules, input } = bigFork({ version, members: 100, differing: 10, powerLevelChain: 100_000 });
    const cost = measure(() => assert.equal(resolveConflicts(rules, input).kind, 'resolved'));
    assert.ok(cost.milliseconds < 500, `${cost.milliseconds} ms`);
    assert.ok(cost.megabytes < 50, `${cost.megabytes} MB`);
  });

  test(`room version ${version}: a fork of 100,000 changes, all of which are in the auth difference, resolves without recursion`, () => {
    const { rules, input } = bigFork({ version, members: 10, differing: 1, changesEach: 100_000 });
    const cost = measure(() => {
      const resolution = resolveConflicts(rules, input);
      assert.ok(resolution.kind === 'resolved');
      assert.deepEqual(
        resolution.entries.map(({ eventId }) => eventId),
        ['$change-0-99999'],
      );
    });
    assert.ok(cost.milliseconds < 2000, `${cost.milliseconds} ms`);
  });
}
