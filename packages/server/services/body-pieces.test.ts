import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasTooManyPieces } from './body-pieces.ts';

test('whatever is small, slow or in pieces of some size may come as it does', () => {
  const pieces = fc.nat(1_000_000);
  fc.assert(
    fc.property(pieces, fc.nat(1000), fc.nat(100_000), (count, few, milliseconds) => {
      assert.equal(hasTooManyPieces(few, 0, 0), false);
      assert.equal(hasTooManyPieces(count, count * 256, 0), false);
      assert.equal(hasTooManyPieces(milliseconds / 10, 0, milliseconds), false);
    }),
  );
});

test('a megabyte a byte at a time may not', () => {
  assert.equal(hasTooManyPieces(1005, 1005, 0), true);
  assert.equal(hasTooManyPieces(1_000_000, 1_000_000, 60_000), true);
});
