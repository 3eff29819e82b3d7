import { edit } from './edit.ts';
import { createKeyHasher, type KeyHasher } from './key-hash.ts';
import type { StateRoot } from './node.ts';
import { createNodeCache, type NodeCache } from './node-cache.ts';
import type { Pack } from './pack.ts';
import { draftsOf, packsNeeded, seal } from './seal.ts';
import type { StateChange } from './state-store.ts';
import { answerNow, type NodeSource, type Steps } from './steps.ts';

/** The trie with nothing below it: packs are kept in memory and numbered from 1. For tests and benchmarks of the pure part. */
export type TestTrie = {
  readonly hasher: KeyHasher;
  readonly source: NodeSource;
  readonly cache: NodeCache;
  /** How often nodes were asked for, and how many. */
  readonly reads: { levels: number; nodes: number };
  set(root: StateRoot, changes: readonly StateChange[]): { root: StateRoot; packs: Pack[] };
  ask<T>(steps: Steps<T>): T;
};

export function createTestTrie(firstPack = 1): TestTrie {
  const hasher = createKeyHasher(Buffer.alloc(16, 7));
  const cache = createNodeCache(Number.MAX_SAFE_INTEGER);
  const reads = { levels: 0, nodes: 0 };
  let nextPack = firstPack;
  const source: NodeSource = {
    find: (id) => cache.find(id),
    load: (ids) => Promise.reject(new Error(`state node ${ids[0]} does not exist`)),
  };

  function* counted<T>(steps: Steps<T>): Steps<T> {
    let step = steps.next(undefined as never);
    while (step.done !== true) {
      reads.levels++;
      reads.nodes += step.value.length;
      step = steps.next(yield step.value);
    }
    return step.value;
  }

  function ask<T>(steps: Steps<T>): T {
    const answered = answerNow(source, counted(steps));
    if (answered === undefined) throw new Error('a state node is missing');
    return answered.value;
  }

  return {
    hasher,
    source,
    cache,
    reads,
    ask,
    set(root, changes) {
      const paths = changes.map(({ type, stateKey, event }) => ({ path: hasher.path(type, stateKey), event }));
      const edited = ask(edit(root, paths, hasher));
      const drafts = draftsOf(edited);
      const sealed = seal(edited, drafts, nextPack);
      nextPack += packsNeeded(drafts);
      for (const pack of sealed.packs) cache.add(pack);
      return sealed;
    },
  };
}
