import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePlace, formatPlace } from '../reading/tokens.ts';
import { formatSyncToken, parseSyncToken } from './token.ts';

test('a token carries a position and the serials of streams in memory', () => {
  const serials = [
    ['p', '17'],
    ['t', 'x9.3-A'],
  ] as const;
  const text = formatSyncToken(42, serials);
  assert.deepEqual(parseSyncToken(text), { position: 42, serials: new Map(serials) });
  assert.deepEqual(parseSyncToken(formatSyncToken(0)), { position: 0, serials: new Map() });
});

for (const text of [
  '',
  's1',
  's1_',
  's1_-1',
  's1_01',
  's1_99999999999',
  's2_1',
  's1_1_',
  's1_1_T5',
  's1_1 ',
  't1_5',
  's1_1_t',
]) {
  test(`'${text}' is no token`, () => assert.equal(parseSyncToken(text), undefined));
}

test('a place is between two events, and a token of /sync is one in every room', () => {
  assert.equal(parsePlace(formatPlace(1048575), 'from'), 1048575);
  assert.equal(parsePlace('s1_2_t5', 'from'), 2 * 2 ** 20);
  assert.throws(() => parsePlace('t1_x', 'from'), { reason: 'request.invalid-param' });
});
