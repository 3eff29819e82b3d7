import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createUserCodes } from './user-codes.ts';

const secret = randomBytes(32);
const codes = createUserCodes({ randomBytes, secret });

test('user codes are eight letters of twenty, each as likely as the others', () => {
  const counts = new Map<string, number>();
  for (let made = 0; made < 5000; made += 1) {
    const code = codes.make();
    assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    for (const letter of code.replace('-', '')) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  assert.equal(counts.size, 20);
  // 2000 of each, with a standard deviation of 44.
  for (const [letter, count] of counts) assert.ok(Math.abs(count - 2000) < 300, `${letter}: ${count}`);
});

test('they are known however they are typed, and with the key alone', () => {
  const hash = codes.hash('BCDF-GHJK');
  assert.match(hash ?? '', /^[\w-]{43}$/);
  for (const typed of ['bcdfghjk', ' bcdf - ghjk ', 'BcDfGhJk']) {
    assert.deepEqual([codes.hash(typed), codes.show(typed)], [hash, 'BCDF-GHJK'], typed);
  }
  for (const typed of ['', 'BCDF-GHJ', 'BCDF-GHJKL', 'ABCD-EFGH', 'BCDF_GHJK', '\0BCDFGHJK']) {
    assert.equal(codes.hash(typed), undefined, typed);
  }
  assert.notEqual(createUserCodes({ randomBytes, secret: randomBytes(32) }).hash('BCDF-GHJK'), hash);
});
