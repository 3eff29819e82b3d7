import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantedDevices } from './key-sections.ts';

test('a device that a query names again and again is looked for once', () => {
  const again = Array.from({ length: 20_000 }, () => 'A');
  assert.deepEqual(wantedDevices({ '@a:x': [...again, 'B'], '@b:x': [] }), [
    ['@a:x', 'A'],
    ['@a:x', 'B'],
    ['@b:x', '*'],
  ]);
});
