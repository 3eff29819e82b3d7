import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summariseThread } from './thread-summary.ts';

const [me, you, other] = ['@me:here.example', '@you:here.example', '@other:here.example'] as const;
const share = (sender: string, replies: number, last: number) => ({
  sender,
  replies,
  last_order: last,
  last_nid: last * 10,
});
const summary = (shares: readonly ReturnType<typeof share>[], root: string, ...ignored: readonly string[]) =>
  summariseThread(shares, root, { userId: me, ignored: new Set(ignored) });

test('a thread has the replies of all who wrote in it, and ends with the last of them', () => {
  for (const shares of [
    [share(you, 2, 5), share(other, 3, 9)],
    [share(other, 3, 9), share(you, 2, 5)],
  ]) {
    assert.deepEqual(summary(shares, you), { count: 5, latestNid: 90, participated: false });
    assert.deepEqual(summary(shares, you, other), { count: 2, latestNid: 50, participated: false });
    assert.deepEqual(summary(shares, me), { count: 5, latestNid: 90, participated: true });
    assert.deepEqual(summary([...shares, share(me, 1, 7)], you), { count: 6, latestNid: 90, participated: true });
  }
});

test('of a thread that only ignored people wrote in there is nothing to tell', () => {
  assert.equal(summary([share(you, 2, 5), share(other, 1, 6)], me, you, other), undefined);
  assert.equal(summary([], me), undefined);
});
