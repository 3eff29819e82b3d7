import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoomVersion } from '@portico/protocol';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { StateResolver } from '../resolution/state-resolver.ts';
import { createMerger } from './merge.ts';

const rules = findRoomVersion('12');
assert.ok(rules);
const room = { roomNid: 1, rules, createEventNid: 1 };
const rootOf = (rootId: number): StateRoot => ({ rootId, contentHash: `hash ${rootId}` }) as unknown as StateRoot;

/** Resolves a state with the one of number 0 by as many changes as its number says. */
function createCounted(bounds: { readonly maxRemembered?: number; readonly maxChanges?: number }) {
  const asked: number[] = [];
  const resolver: StateResolver = {
    resolve(_room, roots) {
      const size = Math.max(...roots.map(({ rootId }) => rootId));
      asked.push(size);
      return Promise.resolve({ changes: Array.from({ length: size }, () => ({})) as never, differing: size });
    },
  };
  const states = {
    set: (root: StateRoot) => ({ now: () => ({ value: { root } }) }),
  } as unknown as Pick<StateStore, 'set' | 'settle'>;
  const { stateAfterAll } = createMerger(states, resolver, bounds);
  return { asked, merge: (size: number) => stateAfterAll(room, [rootOf(0), rootOf(size)]) };
}

test('a resolution is asked for once, until newer ones have taken its place', async () => {
  const { asked, merge } = createCounted({ maxRemembered: 2 });
  for (const size of [1, 1, 2, 1, 3, 2, 1]) await merge(size);
  assert.deepEqual(asked, [1, 2, 3, 1]);
});

test('few resolutions are remembered where they change much', async () => {
  const { asked, merge } = createCounted({ maxChanges: 10 });
  for (const size of [4, 6, 4, 6, 1, 6, 4]) await merge(size);
  assert.deepEqual(asked, [4, 6, 1, 4], 'the oldest goes where there would be eleven');
  await merge(50);
  assert.equal((await merge(50)).differing, 50);
  assert.deepEqual(asked.slice(4), [50], 'the newest is remembered whatever it changes');
  await merge(1);
  await merge(50);
  assert.deepEqual(asked.slice(5), [1, 50]);
});
