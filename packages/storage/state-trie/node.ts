import type { Hash } from './key-hash.ts';

/**
 * A room's state is two tries, one inside the other: the outer one leads from the hash of an event type to the keys of
 * that type, the inner one from the hash of a state key to an event. Both branch 16 ways, and a slot that would lead to a
 * single leaf holds that leaf, so the shape depends on the content alone and not on how it came about.
 *
 * Nodes never change. `C` is how a node names a child: the number of a stored node, or also a node not yet numbered.
 */
export type Branch<C> = { readonly kind: 'branch'; readonly child: C };

/** A state key and its event, in an inner trie. */
export type KeyLeaf = { readonly kind: 'key'; readonly hash: Hash; readonly event: number };

/** A type with one state key, which needs no node of its own. */
export type SingleLeaf = { readonly kind: 'single'; readonly hash: Hash; readonly key: KeyLeaf };

/** A type with several state keys, which lie in the inner trie under `child`. */
export type KeysLeaf<C> = { readonly kind: 'keys'; readonly hash: Hash; readonly child: C };

export type Leaf<C> = KeyLeaf | SingleLeaf | KeysLeaf<C>;

export type Slot<C> = Branch<C> | Leaf<C> | undefined;

export type Node<C> = {
  /** Sixteen of them. */
  readonly slots: readonly Slot<C>[];
  /** On the root of an outer trie only. */
  readonly summary: StateSummary | undefined;
};

export type StateSummary = {
  /** Hash of all entries, 128 bits in hex: equal states have equal hashes. */
  readonly contentHash: string;
  readonly count: number;
};

export type StoredNode = Node<number>;

/** A room's state. Number 0 is the empty one, for which there is no node. */
export type StateRoot = StateSummary & { readonly rootId: number };

export const emptyState: StateRoot = { rootId: 0, contentHash: '0'.repeat(32), count: 0 };

export const width = 16;

export function sameState(a: StateRoot, b: StateRoot): boolean {
  return a.rootId === b.rootId || (a.contentHash === b.contentHash && a.count === b.count);
}
