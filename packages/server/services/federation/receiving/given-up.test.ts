import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGivenUp } from './given-up.ts';

test('of events that were given up the latest are kept, and of each that goes its room is told once', () => {
  const dropped: string[] = [];
  const givenUp = createGivenUp<string>(2);
  const keep = (item: string) => givenUp.keep(item, () => dropped.push(item));
  for (const item of ['a', 'b', 'c']) keep(item);
  assert.deepEqual(dropped, ['a']);
  givenUp.take('b');
  keep('d');
  assert.deepEqual(dropped, ['a'], 'what has come makes room');
  keep('e');
  assert.deepEqual(dropped, ['a', 'c']);
});
