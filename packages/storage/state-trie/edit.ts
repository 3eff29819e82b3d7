import { compareHash, nibble, sameHash, type Hash, type KeyHasher, type StatePath } from './key-hash.ts';
import { width, type KeyLeaf, type KeysLeaf, type Leaf, type SingleLeaf, type Slot, type StateRoot } from './node.ts';
import type { StateSummary, StoredNode } from './node.ts';
import type { FindNode, Steps } from './steps.ts';

/** A node that an edit has made and that has no number yet. */
export type Draft = { readonly slots: readonly Slot<Child>[]; readonly summary: StateSummary | undefined };
export type Child = number | Draft;

/** `event` takes the place of what the state has at `path`; `undefined` removes it. */
export type PathChange = { readonly path: StatePath; readonly event: number | undefined };

export type Edited = StateSummary & { readonly root: Child };

/**
 * The state with all `changes` made; of several changes of one path the last counts. Makes only the nodes on the way to what
 * really changes, once each however many changes lie below; a state that stays as it was keeps its root.
 */
export function* edit(root: StateRoot, changes: readonly PathChange[], hasher: KeyHasher): Steps<Edited> {
  if (changes.length === 0) return unchanged(root);
  const sorted = changes.toSorted(
    (a, b) => compareHash(a.path.type, b.path.type) || compareHash(a.path.key, b.path.key),
  );
  const nodes = yield* loadWays(root.rootId, sorted);
  const find: FindNode = (id) => {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`state node ${id} was not read before the edit`);
    return node;
  };
  const tally = new Tally(root, hasher);
  const before = root.rootId === 0 ? noSlots : find(root.rootId).slots;
  const slots = editSlots<Leaf<Child>>(before, sorted, 0, byType, find, (leaf, group) =>
    editType(leaf, group, find, tally),
  );
  if (slots === before) return unchanged(root);
  const summary = tally.summary();
  return summary.count === 0 ? { root: 0, ...summary } : { root: { slots, summary }, ...summary };
}

function unchanged({ rootId, contentHash, count }: StateRoot): Edited {
  return { root: rootId, contentHash, count };
}

const noSlots: readonly Slot<Child>[] = Array.from({ length: width }, () => undefined);

/** Keeps the hash and the count of the state in step with what is replaced. */
class Tally {
  #sum: bigint;
  #count: number;
  readonly #hasher: KeyHasher;

  constructor(before: StateSummary, hasher: KeyHasher) {
    this.#sum = BigInt(`0x${before.contentHash}`);
    this.#count = before.count;
    this.#hasher = hasher;
  }

  replace(path: StatePath, before: number | undefined, after: number | undefined): void {
    let sum = this.#sum;
    if (before !== undefined) {
      sum -= this.#hasher.entry(path, before);
      this.#count--;
    }
    if (after !== undefined) {
      sum += this.#hasher.entry(path, after);
      this.#count++;
    }
    this.#sum = BigInt.asUintN(128, sum);
  }

  summary(): StateSummary {
    return { contentHash: this.#sum.toString(16).padStart(32, '0'), count: this.#count };
  }
}

const byType = (change: PathChange): Hash => change.path.type;
const byKey = (change: PathChange): Hash => change.path.key;

type EditLeaf<L> = (leaf: L | undefined, changes: readonly PathChange[]) => L | undefined;

/** `changes` are in the order of `hashOf` and agree in what led to this node. Answers the same array where nothing changes. */
function editSlots<L extends Leaf<Child>>(
  before: readonly Slot<Child>[],
  changes: readonly PathChange[],
  depth: number,
  hashOf: (change: PathChange) => Hash,
  find: FindNode,
  editLeaf: EditLeaf<L>,
): readonly Slot<Child>[] {
  let after: Slot<Child>[] | undefined;
  for (const group of groups(changes, (change) => nibble(hashOf(change), depth))) {
    const index = nibble(hashOf(group[0]), depth);
    const slot = editSlot(before[index], group, depth + 1, hashOf, find, editLeaf);
    if (slot === before[index]) continue;
    after ??= [...before];
    after[index] = slot;
  }
  return after ?? before;
}

function editSlot<L extends Leaf<Child>>(
  slot: Slot<Child>,
  changes: Group,
  depth: number,
  hashOf: (change: PathChange) => Hash,
  find: FindNode,
  editLeaf: EditLeaf<L>,
): Slot<Child> {
  if (slot?.kind === 'branch') {
    const before = childSlots(slot.child, find);
    const after = editSlots(before, changes, depth, hashOf, find, editLeaf);
    return after === before ? slot : shrink(after);
  }
  const leaf = slot as L | undefined;
  const first = hashOf(changes[0]);
  const isOne = changes.every((change) => sameHash(hashOf(change), first));
  if (isOne && (leaf === undefined || sameHash(leaf.hash, first))) return editLeaf(leaf, changes);
  const start = leaf === undefined ? noSlots : noSlots.with(nibble(leaf.hash, depth), leaf);
  const after = editSlots(start, changes, depth, hashOf, find, editLeaf);
  return after === start ? slot : shrink(after);
}

/** A node with a single leaf gives way to the leaf. */
function shrink(slots: readonly Slot<Child>[]): Slot<Child> {
  const taken = slots.filter((slot) => slot !== undefined);
  if (taken.length === 0) return undefined;
  if (taken.length === 1 && taken[0]?.kind !== 'branch') return taken[0];
  return { kind: 'branch', child: { slots, summary: undefined } };
}

function editType(
  leaf: Leaf<Child> | undefined,
  changes: readonly PathChange[],
  find: FindNode,
  tally: Tally,
): SingleLeaf | KeysLeaf<Child> | undefined {
  const [first] = changes;
  if (leaf?.kind === 'key' || first === undefined) throw new Error('an outer trie has no leaves of this kind');
  const before = keySlots(leaf, find);
  const after = editSlots<KeyLeaf>(before, changes, 0, byKey, find, (keyLeaf, group) => {
    const last = group.at(-1);
    if (last === undefined || last.event === keyLeaf?.event) return keyLeaf;
    tally.replace(last.path, keyLeaf?.event, last.event);
    return last.event === undefined ? undefined : { kind: 'key', hash: last.path.key, event: last.event };
  });
  if (after === before) return leaf;
  const slot = shrink(after);
  if (slot === undefined) return undefined;
  const hash = first.path.type;
  if (slot.kind === 'branch') return { kind: 'keys', hash, child: slot.child };
  if (slot.kind === 'key') return { kind: 'single', hash, key: slot };
  throw new Error('an inner trie has no leaves of this kind');
}

function keySlots(leaf: SingleLeaf | KeysLeaf<Child> | undefined, find: FindNode): readonly Slot<Child>[] {
  if (leaf === undefined) return noSlots;
  if (leaf.kind === 'single') return noSlots.with(nibble(leaf.key.hash, 0), leaf.key);
  return childSlots(leaf.child, find);
}

function childSlots(child: Child, find: FindNode): readonly Slot<Child>[] {
  return typeof child === 'number' ? find(child).slots : child.slots;
}

type Group = readonly [PathChange, ...PathChange[]];

function* groups(changes: readonly PathChange[], keyOf: (change: PathChange) => number): Generator<Group> {
  let group: [PathChange, ...PathChange[]] | undefined;
  let key = -1;
  for (const change of changes) {
    const own = keyOf(change);
    if (group !== undefined && own === key) {
      group.push(change);
      continue;
    }
    if (group !== undefined) yield group;
    group = [change];
    key = own;
  }
  if (group !== undefined) yield group;
}

type Stop = {
  readonly id: number;
  readonly depth: number;
  readonly inKeys: boolean;
  readonly changes: readonly PathChange[];
};

/** Reads every stored node that the changes pass through, a level at a time. */
function* loadWays(rootId: number, changes: readonly PathChange[]): Steps<ReadonlyMap<number, StoredNode>> {
  const nodes = new Map<number, StoredNode>();
  let stops: Stop[] = rootId === 0 ? [] : [{ id: rootId, depth: 0, inKeys: false, changes }];
  while (stops.length > 0) {
    const find = yield stops.map((stop) => stop.id);
    const next: Stop[] = [];
    for (const { id, depth, inKeys, changes } of stops) {
      const node = find(id);
      nodes.set(id, node);
      const hashOf = inKeys ? byKey : byType;
      for (const group of groups(changes, (change) => nibble(hashOf(change), depth))) {
        const slot = node.slots[nibble(hashOf(group[0]), depth)];
        if (slot?.kind === 'branch') next.push({ id: slot.child, depth: depth + 1, inKeys, changes: group });
        if (slot?.kind !== 'keys') continue;
        const same = group.filter((change) => sameHash(change.path.type, slot.hash));
        if (same.length > 0) next.push({ id: slot.child, depth: 0, inKeys: true, changes: same });
      }
    }
    stops = next;
  }
  return nodes;
}
