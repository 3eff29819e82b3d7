import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyState } from '@portico/storage/state-trie/index.ts';
import { branchesToFollow, extremitiesAfter, maxBranches } from './branches.ts';
import type { Extremity } from './head.ts';

const extremity = (eventId: string, server: string): Extremity => ({ eventId, server, state: emptyState });
const idsOf = (branches: readonly Extremity[]) => branches.map(({ eventId }) => eventId);

test('what an event follows is no end of its room any more', () => {
  const extremities = ['a', 'b', 'c'].map((id) => extremity(id, 'x'));
  assert.deepEqual(idsOf(extremitiesAfter({ extremities, differing: 0 }, ['a', 'c'], extremity('d', 'y'))), ['b', 'd']);
});

test('where there are too many branches, the server that has most of them loses its oldest', () => {
  let extremities: readonly Extremity[] = [extremity('first', 'quiet'), extremity('second', 'other')];
  for (let index = 0; index < 3 * maxBranches; index++) {
    extremities = extremitiesAfter({ extremities, differing: 0 }, [], extremity(`${index}`, 'loud'));
  }
  const last = Array.from({ length: maxBranches - 2 }, (_, index) => `${2 * maxBranches + 2 + index}`);
  assert.deepEqual(idsOf(extremities), ['first', 'second', ...last]);
});

test('where branches differ in too much there are fewer, but as many as an event can follow', () => {
  const extremities = Array.from({ length: 100 }, (_, index) => extremity(`${index}`, index < 2 ? 'quiet' : 'loud'));
  const left = (differing: number) => idsOf(extremitiesAfter({ extremities, differing }, [], extremity('last', 'new')));
  assert.equal(left(4900).length, 101);
  assert.deepEqual(left(10_000), ['0', '1', ...Array.from({ length: 47 }, (_, index) => `${53 + index}`), 'last']);
  assert.equal(left(1_000_000).length, 20);
});

test('an event that cannot follow all branches follows those that allow it, then the newest', () => {
  const branches = Array.from({ length: 30 }, (_, index) => index);
  const entries = branches.map((index) => (index === 3 ? [1, 2] : index < 10 ? [1, undefined] : [7, 8]));
  const followed = branchesToFollow(branches, entries, [1, 2]);
  assert.deepEqual(followed, [3, 9, 8, 7, 6, 5, 4, 2, 1, 0, ...Array.from({ length: 10 }, (_, index) => 29 - index)]);
  assert.deepEqual(branchesToFollow(branches.slice(0, 20), entries, [1, 2]), branches.slice(0, 20));
});

test('what allows an event is followed wherever it comes from, however many branches have another part of it', () => {
  const branches = Array.from({ length: 40 }, (_, index) => index);
  const entries = branches.map((index) => (index === 0 ? [1, undefined] : [undefined, 2]));
  const followed = branchesToFollow(branches, entries, [1, 2]);
  assert.equal(followed.length, 20);
  assert.ok(followed.includes(0));
});
