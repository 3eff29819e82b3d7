import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receiptDelay } from './receipt-delay.ts';

test('receipts wait the longer the more servers are to have them, and not for ever', () => {
  const delays = [0, 10, 11, 100, 10_000].map(receiptDelay);
  assert.deepEqual(delays, [0, 0, 220, 2000, 30_000]);
});
