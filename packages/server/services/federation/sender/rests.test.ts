import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRests, restless } from './rests.ts';

test('a few transactions follow each other at once, then there is a rest after each', () => {
  const rests = createRests(100);
  for (let count = 0; count < restless; count++) assert.equal(rests(10_000 + count), false, `transaction ${count}`);
  assert.equal(rests(10_020), true);
  assert.equal(rests(10_130), true);
  assert.equal(rests(10_600), false);
});

test('who is sent something now and then is never left alone', () => {
  const rests = createRests(100);
  for (let now = 10_000; now < 20_000; now += 100) assert.equal(rests(now), false, `at ${now}`);
});

test('a clock that is set back does not end the transactions that may follow each other', () => {
  const rests = createRests(100);
  assert.equal(rests(10_000), false);
  assert.equal(rests(5000), false);
});
