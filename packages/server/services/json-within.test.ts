import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonValue } from '@portico/protocol';
import { jsonWithin } from './json-within.ts';

test('a text is given exactly where it is short enough', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      assert.equal(jsonWithin(value as JsonValue, text.length), text);
      assert.equal(jsonWithin(value as JsonValue, text.length + 5), text);
      assert.equal(jsonWithin(value as JsonValue, text.length - 1), undefined);
    }),
  );
});

test('of what is far too long little is looked at', () => {
  let looked = 0;
  const element = Object.defineProperty({}, 'a', { enumerable: true, get: () => looked++ });
  assert.equal(jsonWithin(Array.from({ length: 1_000_000 }, () => element) as JsonValue, 1000), undefined);
  assert.ok(looked < 1000, `${looked}`);
});
