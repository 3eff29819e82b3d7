import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInTime } from './in-time.ts';

const unexpected = (error: unknown): void => assert.fail(String(error));
const never = 2 ** 31 - 1;

test('what is not slow is waited for', async () => {
  const inTime = createInTime({ patience: 0, most: 1, onFailure: unexpected });
  assert.equal(await inTime(() => Promise.resolve(1)), 1);
  await assert.rejects(
    inTime(() => Promise.reject(new Error('no'))),
    /no/u,
  );
});

test('what becomes slow is waited for a while', async () => {
  const inTime = createInTime({ patience: never, most: 1, onFailure: unexpected });
  const result = inTime(async (onSlow) => {
    onSlow();
    await Promise.resolve();
    return 1;
  });
  assert.equal(await result, 1);
});

test('it goes on by itself then, as long as there is not too much of that', async () => {
  const failures: unknown[] = [];
  const inTime = createInTime({ patience: 0, most: 1, onFailure: (error) => failures.push(error) });
  const first = Promise.withResolvers<number>();
  const second = Promise.withResolvers<number>();
  const slow = (work: Promise<number>) =>
    inTime((onSlow) => {
      onSlow();
      return work;
    });
  assert.equal(await slow(first.promise), undefined);
  const waited = slow(second.promise);
  second.resolve(2);
  assert.equal(await waited, 2);
  first.reject(new Error('too late'));
  await assert.rejects(first.promise);
  assert.deepEqual(failures.map(String), ['Error: too late']);
  assert.equal(await slow(new Promise(() => undefined)), undefined, 'there is room again');
});
