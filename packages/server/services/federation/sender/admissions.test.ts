import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdmissions, type Standing } from './admissions.ts';

type Limits = { readonly away: number; readonly lost: number; readonly new: number };

function open(options: { standings?: Readonly<Record<string, Standing>>; most?: Limits; maxWaiting?: number } = {}) {
  const { standings = {}, most = { away: 2, lost: 1, new: 2 }, maxWaiting = 100 } = options;
  const admitted: string[] = [];
  const questions: number[] = [];
  let rooms = 0;
  const admissions = createAdmissions({
    readStandings: async (hosts) => {
      questions.push(hosts.length);
      return new Map(
        hosts.flatMap((host) => (standings[host] === undefined ? [] : [[host, standings[host]] as const])),
      );
    },
    admit: (host) => admitted.push(host) > 0,
    onRoom: () => void rooms++,
    onFailure: (error) => assert.ifError(error),
    maxUnderWay: most,
    maxWaiting,
  });
  return { admissions, admitted, questions, rooms: () => rooms };
}

const settle = () => new Promise(setImmediate);

test('few new ones are seen to at a time, in their order, and those that answer wait for none of them', async () => {
  const { admissions, admitted, questions } = open({ standings: { friend: 'answers' } });
  for (const host of ['a', 'b', 'c', 'c', 'd', 'friend']) admissions.offer(host);
  await settle();
  assert.deepEqual(questions, [5], 'asked together');
  assert.deepEqual(admitted, ['friend', 'a', 'b']);
  assert.equal(admissions.waiting, 2);
  admissions.release('friend');
  assert.equal(admissions.waiting, 2);
  admissions.release('a');
  assert.deepEqual(admitted.slice(3), ['c']);
  admissions.release('b');
  admissions.release('c');
  assert.deepEqual(admitted.slice(3), ['c', 'd']);
  assert.equal(admissions.waiting, 0);
});

test('servers of rooms that are away wait for no others that are, and neither do new ones', async () => {
  const names = (kind: string) => Array.from({ length: 50 }, (_, index) => `${kind}${index}`);
  const standings = Object.fromEntries([
    ...names('lost').map((host) => [host, 'lost' as const]),
    ...names('away').map((host) => [host, 'away' as const]),
  ]);
  const { admissions, admitted } = open({ standings, maxWaiting: 1000 });
  for (const host of [...names('lost'), ...names('away'), ...names('new')]) admissions.offer(host);
  await settle();
  assert.deepEqual(admitted.toSorted(), ['away0', 'away1', 'lost0', 'new0', 'new1']);
  assert.equal(admissions.waiting, 48, 'those that are away are counted by others');
  admissions.release('away1');
  admissions.release('lost0');
  assert.deepEqual(admitted.slice(5), ['away2', 'lost1']);
});

test('names for which there is no room are asked for when there is', async () => {
  const { admissions, admitted, rooms } = open({ most: { away: 1, lost: 1, new: 1 }, maxWaiting: 2 });
  for (const host of ['a', 'b', 'c']) admissions.offer(host);
  await settle();
  assert.deepEqual([admitted, rooms()], [['a'], 0]);
  admissions.release('a');
  assert.deepEqual([admitted, rooms()], [['a', 'b'], 1]);
  admissions.release('b');
  assert.equal(rooms(), 1);
});

test('when it is closed nobody is admitted any more', async () => {
  const { admissions, admitted } = open({ most: { away: 1, lost: 1, new: 1 } });
  for (const host of ['a', 'b']) admissions.offer(host);
  await settle();
  await admissions.close();
  admissions.release('a');
  admissions.offer('c');
  await settle();
  assert.deepEqual(admitted, ['a']);
});
