import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receiptContents } from './receipt-edus.ts';

const receipt = (user: string, threadId: string, room = '!a') => ({
  position: 1,
  room_id: room,
  user_id: user,
  thread_id: threadId,
  event_id: '$e',
  ts: 5,
});

test('receipts go into as few EDUs as have place for them', () => {
  const rows = [
    receipt('@a', ''),
    receipt('@b', ''),
    receipt('@a', 'main'),
    receipt('@a', '', '!b'),
    receipt('@a', '$t'),
  ];
  const { contents, taken } = receiptContents(rows, 10);
  const plain = { data: { ts: 5 }, event_ids: ['$e'] };
  const inThread = (thread: string) => ({ data: { thread_id: thread, ts: 5 }, event_ids: ['$e'] });
  assert.deepEqual(contents, [
    { '!a': { 'm.read': { '@a': plain, '@b': plain } }, '!b': { 'm.read': { '@a': plain } } },
    { '!a': { 'm.read': { '@a': inThread('main') } } },
    { '!a': { 'm.read': { '@a': inThread('$t') } } },
  ]);
  assert.equal(taken, 5);
});

test('what does not fit is left for later', () => {
  const rows = [receipt('@a', ''), receipt('@a', 'main'), receipt('@a', '$t'), receipt('@b', '')];
  const { contents, taken } = receiptContents(rows, 2);
  assert.deepEqual([contents.length, taken], [2, 2]);
});
