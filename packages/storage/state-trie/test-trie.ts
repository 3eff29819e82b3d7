import { edit } from './edit.ts';
import { createKeyHasher, type KeyHasher } from './key-hash.ts';
import type { StateRoot } from './node.ts';
import { createNodeCache } from './node-cache.ts';
import { packOf, type Pack } from './pack.ts';
import { draftsOf, packsNeeded, seal } from './seal.ts';
import type { StateChange } from './state-store.ts';
import { answerNow, type NodeSource, type Steps } from './steps.ts';

/** The trie with nothing below it: packs are kept in memory and numbered from 1. For tests and benchmarks of the pure part. */
export type TestTrie = {
  readonly hasher: KeyHasher;
  readonly source: NodeSource;
  /** Takes over packs of another trie. */
  add(packs: readonly Pack[]): void;
  /** How often nodes were asked for, and how many. */
  readonly reads: { levels: number; nodes: number };
  set(root: StateRoot, changes: readonly StateChange[]): { root: StateRoot; packs: Pack[] };
  ask<T>(steps: Steps<T>): T;
};

type Options = {
  readonly firstPack?: number;
  /** How far apart the packs of two edits are numbered: what lies between belongs to other rooms. */
  readonly packStep?: number;
};

export function createTestTrie({ firstPack = 1, packStep = 0 }: Options = {}): TestTrie {
  const hasher = createKeyHasher(Buffer.alloc(16, 7));
  const cache = createNodeCache(64 * 2 ** 20);
  const stored = new Map<number, Pack>();
  const reads = { levels: 0, nodes: 0 };
  let nextPack = firstPack;
  const source: NodeSource = {
    find(id) {
      const pack = stored.get(packOf(id));
      return cache.find(id) ?? (pack && cache.add(pack).find(id));
    },
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

  const trie: TestTrie = {
    hasher,
    source,
    reads,
    ask,
    add(packs) {
      for (const pack of packs) stored.set(pack.packId, pack);
    },
    set(root, changes) {
      const paths = changes.map(({ type, stateKey, event }) => ({ path: hasher.path(type, stateKey), event }));
      const edited = ask(edit(root, paths, hasher));
      const drafts = draftsOf(edited);
      const sealed = seal(edited, drafts, nextPack);
      nextPack += packsNeeded(drafts) + packStep;
      trie.add(sealed.packs);
      return sealed;
    },
  };
  return trie;
}
