import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MatrixError } from '../../errors/matrix-error.ts';
import { createPasswordHasher } from './password-hasher.ts';

const cost = { memory: 8 * 1024, passes: 1 };

test('a password matches its own hash and no other', async () => {
  const hasher = createPasswordHasher({ cost, randomBytes });
  const hash = await hasher.hash('correct horse');
  assert.match(hash, /^\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(hash, await hasher.hash('correct horse'));
  assert.equal(await hasher.verify('correct horse', hash), true);
  assert.equal(await hasher.verify('correct hors', hash), false);
  assert.equal(await hasher.verify('correct horse', null), false);
});

test('a hash made at another cost stays valid', async () => {
  const hash = await createPasswordHasher({ cost: { memory: 64 * 1024, passes: 2 }, randomBytes }).hash('x');
  assert.equal(await createPasswordHasher({ cost, randomBytes }).verify('x', hash), true);
});

test('only so many wait for their turn', async () => {
  const hasher = createPasswordHasher({ cost, randomBytes, concurrency: 1, maxWaiting: 2 });
  const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map((password) => hasher.hash(password)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  );
  const refusal = results.find((result) => result.status === 'rejected');
  assert.ok(refusal?.reason instanceof MatrixError);
  assert.equal(refusal.reason.reason, 'server.overloaded');
  await hasher.hash('e');
});

test('a password of any length costs no more', async () => {
  const hasher = createPasswordHasher({ cost, randomBytes });
  await assert.rejects(hasher.hash('x'.repeat(513)), { reason: 'password.too-long' });
  assert.equal(await hasher.verify('x'.repeat(513), null), false);
});
