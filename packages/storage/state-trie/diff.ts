import { nibble, sameHash, type Hash, type StatePath } from './key-hash.ts';
import { width, type Leaf, type Slot, type StoredNode } from './node.ts';
import type { FindNode, Steps } from './steps.ts';
import type { Part } from './walk.ts';

/** One path at which two states differ; `undefined` where a state has nothing there. */
export type Difference = {
  readonly path: StatePath;
  readonly before: number | undefined;
  readonly after: number | undefined;
};

type Side = Slot<number>;
type Pair = {
  readonly before: Side;
  readonly after: Side;
  readonly depth: number;
  readonly type: Hash | undefined;
};

/** How many pairs of nodes are compared between two reads: bounds what is held at once. */
const batch = 256;

/**
 * Where two states differ. Parts that they share are recognised by their node's number and not entered, so the cost follows
 * the differences.
 */
export function* diff(before: number, after: number, part: Part = {}): Steps<Difference[]> {
  const differences: Difference[] = [];
  const stack: Pair[] = [];

  function compare(pair: Pair): void {
    const { before, after, type } = pair;
    if (before?.kind === 'branch' || after?.kind === 'branch') {
      if (before?.kind === 'branch' && after?.kind === 'branch' && before.child === after.child) return;
      stack.push(pair);
    } else if (before !== undefined && after !== undefined && !sameHash(before.hash, after.hash)) {
      compare({ ...pair, after: undefined });
      compare({ ...pair, before: undefined });
    } else if (type === undefined) compareTypes(before, after);
    else compareKeys(type, before, after);
  }

  function compareTypes(before: Leaf<number> | undefined, after: Leaf<number> | undefined): void {
    const type = before?.hash ?? after?.hash;
    if (type === undefined) return;
    if (part.only !== undefined && !sameHash(type, part.only)) return;
    if (part.except !== undefined && sameHash(type, part.except)) return;
    compare({ before: inside(before), after: inside(after), depth: 0, type });
  }

  function compareKeys(type: Hash, before: Leaf<number> | undefined, after: Leaf<number> | undefined): void {
    const key = before?.hash ?? after?.hash;
    const events = [before, after].map((leaf) => (leaf?.kind === 'key' ? leaf.event : undefined));
    if (key === undefined || events[0] === events[1]) return;
    differences.push({ path: { type, key }, before: events[0], after: events[1] });
  }

  compare({ before: rootSide(before), after: rootSide(after), depth: 0, type: undefined });
  while (stack.length > 0) {
    const pairs = stack.splice(-batch);
    const find = yield [...new Set(pairs.flatMap((pair) => [...branchIds(pair.before), ...branchIds(pair.after)]))];
    for (const { before, after, depth, type } of pairs) {
      const befores = slotsOf(before, depth, find);
      const afters = slotsOf(after, depth, find);
      for (let index = 0; index < width; index++) {
        const pair = { before: befores[index], after: afters[index], depth: depth + 1, type };
        if (pair.before !== undefined || pair.after !== undefined) compare(pair);
      }
    }
  }
  return differences;
}

function rootSide(id: number): Side {
  return id === 0 ? undefined : { kind: 'branch', child: id };
}

/** The inner trie of a type, as a slot that leads to it. */
function inside(leaf: Leaf<number> | undefined): Side {
  if (leaf?.kind === 'keys') return { kind: 'branch', child: leaf.child };
  return leaf?.kind === 'single' ? leaf.key : undefined;
}

function branchIds(side: Side): number[] {
  return side?.kind === 'branch' ? [side.child] : [];
}

const noSlots: StoredNode['slots'] = Array.from({ length: width }, () => undefined);

/** A leaf opposite a node counts as a node with that leaf alone. */
function slotsOf(side: Side, depth: number, find: FindNode): StoredNode['slots'] {
  if (side === undefined) return noSlots;
  if (side.kind === 'branch') return find(side.child).slots;
  return noSlots.with(nibble(side.hash, depth), side);
}
