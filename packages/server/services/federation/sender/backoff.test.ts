import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitAfter } from './backoff.ts';

const hour = 3_600_000;

test('pauses double from a second to an hour, after a day to a day, and no two servers have the same', () => {
  assert.deepEqual(
    [1, 2, 3, 12, 13, 37].map((failures) => waitAfter(failures, 0.5)),
    [1000, 2000, 4000, 2_048_000, hour, hour],
  );
  let waited = 0;
  for (let failures = 1; failures <= 37; failures++) waited += waitAfter(failures, 0.5);
  assert.ok(waited > 24 * hour && waited < 27 * hour);
  assert.deepEqual(
    [38, 39, 41, 42, 5000].map((failures) => waitAfter(failures, 0.5)),
    [2, 4, 16, 24, 24].map((hours) => hours * hour),
  );
  assert.deepEqual([waitAfter(1, 0), waitAfter(1, 1)], [800, 1200]);
});

test('a server that asks for more patience gets it, up to a day', () => {
  assert.deepEqual([waitAfter(1, 0.5, 5000), waitAfter(1, 0.5, 1e12)], [5000, 86_400_000]);
});
