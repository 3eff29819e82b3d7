import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lifetimeOf, lifetimeOfFailure } from './cache-lifetime.ts';

const minute = 60;
const hour = 60 * minute;
const now = Date.parse('Fri, 01 May 2026 12:00:00 GMT');

const table: readonly [headers: Record<string, string>, seconds: number][] = [
  [{}, 24 * hour],
  [{ 'cache-control': 'public' }, 24 * hour],
  [{ 'cache-control': 'max-age=3600' }, hour],
  [{ 'cache-control': 'Public, Max-Age="7200"' }, 2 * hour],
  [{ 'cache-control': 'max-age=3600', age: '600' }, 50 * minute],
  [{ 'cache-control': 'max-age=9999999999' }, 48 * hour],
  [{ 'cache-control': 'max-age=1' }, 5 * minute],
  [{ 'cache-control': 'no-store, max-age=3600' }, 5 * minute],
  [{ 'cache-control': 'no-cache' }, 5 * minute],
  [{ 'cache-control': 's-maxage=3600' }, 24 * hour],
  [{ expires: 'Fri, 01 May 2026 15:00:00 GMT' }, 3 * hour],
  [{ expires: '0' }, 5 * minute],
  [{ 'cache-control': 'max-age=3600', expires: '0' }, hour],
];

test('an answer is believed as long as it says, within bounds', () => {
  for (const [headers, seconds] of table)
    assert.equal(lifetimeOf(headers, now), seconds * 1000, JSON.stringify(headers));
});

test('failures are remembered longer and longer, an hour at most', () => {
  assert.deepEqual(
    [1, 2, 3, 6, 7, 100, Infinity].map((failures) => lifetimeOfFailure(failures) / 60_000),
    [1, 2, 4, 32, 60, 60, 60],
  );
});
