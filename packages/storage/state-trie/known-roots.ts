import type { StateRoot } from './node.ts';

/** Stored states by what they hold, so that one which comes about in several ways is stored, and compared, as one. */
export interface KnownRoots {
  find(contentHash: string): StateRoot | undefined;
  add(root: StateRoot): void;
}

export function createKnownRoots(maxRoots = 5000): KnownRoots {
  const roots = new Map<string, StateRoot>();
  return {
    find: (contentHash) => roots.get(contentHash),
    add(root) {
      if (root.rootId === 0 || roots.has(root.contentHash)) return;
      roots.set(root.contentHash, root);
      if (roots.size > maxRoots) roots.delete(roots.keys().next().value ?? root.contentHash);
    },
  };
}
