import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStrangers } from './strangers.ts';

function open(options: { acquainted?: readonly string[]; maxUnderWay?: number; maxWaiting?: number } = {}) {
  const { acquainted = [], maxUnderWay = 2, maxWaiting = 100 } = options;
  const admitted: string[] = [];
  const questions: number[] = [];
  let rooms = 0;
  const strangers = createStrangers({
    readAcquainted: async (hosts) => {
      questions.push(hosts.length);
      return new Set(hosts.filter((host) => acquainted.includes(host)));
    },
    admit: (host) => admitted.push(host) > 0,
    onRoom: () => void rooms++,
    onFailure: (error) => assert.ifError(error),
    maxUnderWay,
    maxWaiting,
  });
  return { strangers, admitted, questions, rooms: () => rooms };
}

const settle = () => new Promise(setImmediate);

test('few strangers are seen to at a time, in their order, and acquaintances wait for none of them', async () => {
  const { strangers, admitted, questions } = open({ acquainted: ['friend'] });
  for (const host of ['a', 'b', 'c', 'c', 'd', 'friend']) strangers.offer(host);
  await settle();
  assert.deepEqual(questions, [5], 'asked together');
  assert.deepEqual(admitted, ['friend', 'a', 'b']);
  assert.equal(strangers.waiting, 2);
  strangers.gone('friend');
  assert.equal(strangers.waiting, 2);
  strangers.gone('a');
  assert.deepEqual(admitted.slice(3), ['c']);
  strangers.gone('b');
  strangers.gone('c');
  assert.deepEqual(admitted.slice(3), ['c', 'd']);
  assert.equal(strangers.waiting, 0);
});

test('names for which there is no room are asked for when there is', async () => {
  const { strangers, admitted, rooms } = open({ maxUnderWay: 1, maxWaiting: 2 });
  for (const host of ['a', 'b', 'c']) strangers.offer(host);
  await settle();
  assert.deepEqual([admitted, rooms()], [['a'], 0]);
  strangers.gone('a');
  assert.deepEqual([admitted, rooms()], [['a', 'b'], 1]);
  strangers.gone('b');
  assert.equal(rooms(), 1);
});

test('when it is closed nobody is admitted any more', async () => {
  const { strangers, admitted } = open({ maxUnderWay: 1 });
  for (const host of ['a', 'b']) strangers.offer(host);
  await settle();
  await strangers.close();
  strangers.gone('a');
  strangers.offer('c');
  await settle();
  assert.deepEqual(admitted, ['a']);
});
