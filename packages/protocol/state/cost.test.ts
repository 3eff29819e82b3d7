import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bigFork } from '@portico/testkit/big-fork.ts';
import { resolveConflicts } from './resolve.ts';

/** Milliseconds of processor time. */
function measure(run: () => void): number {
  const start = process.cpuUsage();
  run();
  return process.cpuUsage(start).user / 1000;
}

for (const version of ['2', '12']) {
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
    assert.ok(cost < 2000, `${cost} ms`);
  });
}
