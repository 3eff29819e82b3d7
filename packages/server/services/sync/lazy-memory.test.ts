import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSmallCache } from '../reading/small-cache.ts';
import { createLazyMemory } from './lazy-memory.ts';

test('a member is known once the client shows a token of the answer that had it, or of a later one', () => {
  const memory = createLazyMemory();
  memory.add(1, '@a:x', 10);
  assert.equal(memory.knows(1, '@a:x', undefined), false);
  assert.equal(memory.knows(1, '@a:x', 9), false);
  assert.equal(memory.knows(1, '@a:x', 10), true);
  assert.equal(memory.knows(2, '@a:x', 10), false);
  memory.add(1, '@a:x', 20);
  assert.equal(memory.knows(1, '@a:x', 10), true);
  memory.clear();
  assert.equal(memory.knows(1, '@a:x', 10), false);
});

test('the memory stays bounded and keeps what is used', () => {
  const memory = createLazyMemory(100);
  memory.add(0, '@often:x', 1);
  for (let count = 0; count < 1000; count++) {
    memory.add(1, `@${count}:x`, 1);
    assert.ok(memory.knows(0, '@often:x', 1));
    assert.ok(memory.size <= 102);
  }
  assert.ok(!memory.knows(1, '@0:x', 1));
});

test('a small cache stays small', () => {
  const cache = createSmallCache<number, number>(100);
  for (let key = 0; key < 1000; key++) {
    cache.set(key, key);
    assert.equal(cache.get(0), 0);
    assert.ok(cache.size <= 102);
  }
  assert.equal(cache.get(1), undefined);
  cache.delete(0);
  assert.equal(cache.get(0), undefined);
});

test('after a gap nobody of the room is known, and everybody of other rooms is', () => {
  const memory = createLazyMemory();
  memory.add(1, '@a:x', 5);
  memory.add(2, '@a:x', 5);
  memory.forgetRoom(1);
  assert.deepEqual([memory.knows(1, '@a:x', 9), memory.knows(2, '@a:x', 9)], [false, true]);
  memory.add(1, '@a:x', 10);
  assert.deepEqual([memory.knows(1, '@a:x', 9), memory.knows(1, '@a:x', 10)], [false, true]);
});
