import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitAfter } from './backoff.ts';

test('pauses double from a second to an hour, and no two servers have the same', () => {
  assert.deepEqual(
    [1, 2, 3, 12, 13, 1000].map((failures) => waitAfter(failures, 0.5)),
    [1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000],
  );
  assert.deepEqual([waitAfter(1, 0), waitAfter(1, 1)], [800, 1200]);
});

test('a server that asks for more patience gets it, up to a day', () => {
  assert.deepEqual([waitAfter(1, 0.5, 5000), waitAfter(1, 0.5, 1e12)], [5000, 86_400_000]);
});
