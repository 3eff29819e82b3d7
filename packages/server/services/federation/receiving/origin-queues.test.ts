import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { createOriginQueues } from './origin-queues.ts';

test('transactions of one server happen one after the other, those of others beside them', async () => {
  const queues = createOriginQueues();
  const stuck = Promise.withResolvers<string>();
  const first = queues.run('a', () => stuck.promise);
  const second = queues.run('a', async () => 'second');
  assert.equal(await queues.run('b', async () => 'other'), 'other');
  let isDone = false;
  void second.then(() => (isDone = true));
  await new Promise(setImmediate);
  assert.equal(isDone, false);
  stuck.resolve('first');
  assert.deepEqual(await Promise.all([first, second]), ['first', 'second']);
});

test('a server that does not wait for its answers is told to, and one that fails does not stop the next', async () => {
  const queues = createOriginQueues();
  const stuck = Promise.withResolvers<string>();
  const taken = Array.from({ length: 11 }, () => queues.run('a', () => stuck.promise));
  await assert.rejects(
    queues.run('a', () => stuck.promise),
    (error) => error instanceof MatrixError && error.reason === 'request.limit-exceeded',
  );
  assert.equal(await queues.run('b', async () => 'other'), 'other');
  stuck.reject(new Error('broken'));
  const results = await Promise.allSettled(taken);
  assert.ok(results.every(({ status }) => status === 'rejected'));
  assert.equal(await queues.run('a', async () => 'again'), 'again');
  const failing = queues.run('a', () => Promise.reject(new Error('broken')));
  const next = queues.run('a', async () => 'next');
  await assert.rejects(failing);
  assert.equal(await next, 'next', 'which waited for it');
});
