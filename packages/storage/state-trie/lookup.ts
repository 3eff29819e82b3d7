import { nibble, sameHash, type Hash, type StatePath } from './key-hash.ts';
import { emptyState, type KeysLeaf, type SingleLeaf, type StateRoot } from './node.ts';
import type { Steps } from './steps.ts';

type Search = { readonly index: number; readonly path: StatePath };
/** Searches that have come to the same node. */
type Stop = { readonly id: number; readonly depth: number; readonly inKeys: boolean; readonly searches: Search[] };

/** The events at the given paths, in their order; `undefined` where the state has none. Loads each level once. */
export function* getMany(root: number, paths: readonly StatePath[]): Steps<(number | undefined)[]> {
  const found: (number | undefined)[] = Array.from(paths, () => undefined);
  let stops: Stop[] = [];
  if (root !== 0 && paths.length > 0) {
    stops = [{ id: root, depth: 0, inKeys: false, searches: paths.map((path, index) => ({ index, path })) }];
  }
  while (stops.length > 0) {
    const find = yield stops.map((stop) => stop.id);
    const next = new Map<number, Stop>();
    const proceed = (id: number, depth: number, inKeys: boolean, search: Search): void => {
      const stop = next.get(id);
      if (stop === undefined) next.set(id, { id, depth, inKeys, searches: [search] });
      else stop.searches.push(search);
    };
    for (const { id, depth, inKeys, searches } of stops) {
      const { slots } = find(id);
      for (const search of searches) {
        const hash = inKeys ? search.path.key : search.path.type;
        const slot = slots[nibble(hash, depth)];
        if (slot === undefined) continue;
        if (slot.kind === 'branch') proceed(slot.child, depth + 1, inKeys, search);
        else if (!sameHash(slot.hash, hash)) continue;
        else if (slot.kind === 'keys') proceed(slot.child, 0, true, search);
        else if (slot.kind === 'key') found[search.index] = slot.event;
        else if (sameHash(slot.key.hash, search.path.key)) found[search.index] = slot.key.event;
      }
    }
    stops = [...next.values()];
  }
  return found;
}

/** What the state says about one event type. */
export function* getType(root: number, type: Hash): Steps<SingleLeaf | KeysLeaf<number> | undefined> {
  let id = root;
  for (let depth = 0; id !== 0; depth++) {
    const find = yield [id];
    const slot = find(id).slots[nibble(type, depth)];
    if (slot?.kind !== 'branch') {
      return slot !== undefined && slot.kind !== 'key' && sameHash(slot.hash, type) ? slot : undefined;
    }
    id = slot.child;
  }
  return undefined;
}

/** The roots with their hashes and counts, of which everything else keeps only the numbers. */
export function* getRoots(rootIds: readonly number[]): Steps<StateRoot[]> {
  const stored = rootIds.filter((rootId) => rootId !== 0);
  if (stored.length === 0) return rootIds.map(() => emptyState);
  const find = yield stored;
  return rootIds.map((rootId) => {
    if (rootId === 0) return emptyState;
    const { summary } = find(rootId);
    if (summary === undefined) throw new Error(`state node ${rootId} is not the root of a state`);
    return { rootId, ...summary };
  });
}
