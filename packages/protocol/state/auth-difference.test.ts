import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomEvent } from '../events/pdu.ts';
import { authChain, authDifference } from './auth-difference.ts';
import { conflictedSubgraph } from './conflicted-subgraph.ts';

/** `d → c → b → a`, and `e → b` beside it; `f` stands alone, and `g` names what is not here. */
const graph: Readonly<Record<string, readonly string[]>> = {
  a: [],
  b: ['a'],
  c: ['b'],
  d: ['c', 'a'],
  e: ['b'],
  f: [],
  g: ['missing', 'b'],
};
const find = (eventId: string): RoomEvent | undefined =>
  graph[eventId] && ({ eventId, authEvents: graph[eventId] } as unknown as RoomEvent);
const sorted = (ids: Iterable<string>): string => [...ids].toSorted().join(' ');

test('an auth chain goes back to the beginning, and has what it starts from only where that is led to', () => {
  assert.equal(sorted(authChain(['d'], find)), 'a b c');
  assert.equal(sorted(authChain(['d', 'b'], find)), 'a b c');
  assert.equal(sorted(authChain(['a', 'f'], find)), '');
  assert.equal(sorted(authChain(['g'], find)), 'a b missing');
});

test('the auth difference is what some chains have and others have not, states included', () => {
  const between = (...states: readonly (readonly string[])[]) => sorted(authDifference(states, find));
  assert.equal(between(['d'], ['d']), '');
  assert.equal(between(['d'], ['a']), 'b c d');
  assert.equal(between(['d'], ['e']), 'c d e');
  assert.equal(between(['d', 'f'], ['d']), 'f');
  // All three have b and what it leads to.
  assert.equal(between(['d'], ['e'], ['b']), 'c d e');
  assert.equal(between(['d'], ['b', 'c', 'd']), '');
});

test('the conflicted subgraph is what lies on the way from one conflicted event to another', () => {
  const of = (...conflicted: readonly string[]) => sorted(conflictedSubgraph(conflicted, find));
  assert.equal(of('d', 'b'), 'b c d');
  assert.equal(of('d', 'a'), 'a b c d');
  assert.equal(of('d', 'e'), 'd e', 'that both lead to b does not matter');
  assert.equal(of('d', 'e', 'a'), 'a b c d e');
  assert.equal(of('f', 'g'), 'f g');
  assert.equal(of(), '');
});
