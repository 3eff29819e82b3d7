import { compareHash, nibble, type Hash, type StatePath } from './key-hash.ts';
import { getType } from './lookup.ts';
import type { Leaf, StoredNode } from './node.ts';
import type { Steps } from './steps.ts';

/** Which part of a state: all of it, one event type, or everything but one type. */
export type Part = { readonly only?: Hash; readonly except?: Hash };

export type Entry = { readonly path: StatePath; readonly event: number };

/** `next` is where the following page starts; `undefined` after the last one. */
export type EntriesPage = { readonly entries: readonly Entry[]; readonly next: StatePath | undefined };

/** How many nodes are read at once, and so the most that a walk holds beyond its way down. */
const readAhead = 64;

type Place = {
  readonly depth: number;
  /** The type whose inner trie this is in. */
  readonly type: Hash | undefined;
  /** Whether what comes before `after` has to be left out here. */
  readonly bounded: boolean;
};
type Visit = Place & ({ readonly id: number } | { readonly leaf: Leaf<number> });

/** Up to `limit` entries that come after `after`, in the order of their hashes. */
export function* entriesPage(
  root: number,
  part: Part,
  limit: number,
  after: StatePath | undefined,
): Steps<EntriesPage> {
  const start = { depth: 0, type: undefined, bounded: after !== undefined };
  const stack: Visit[] = [];
  if (part.only !== undefined) {
    const leaf = yield* getType(root, part.only);
    if (leaf !== undefined) stack.push({ ...start, leaf });
  } else if (root !== 0) stack.push({ ...start, id: root });

  const ahead = new Map<number, StoredNode>();
  const entries: Entry[] = [];
  for (let visit = stack.pop(); visit !== undefined; visit = stack.pop()) {
    if ('leaf' in visit) {
      const { leaf, type, bounded } = visit;
      if (leaf.kind === 'key') {
        if (type === undefined) throw new Error('a state key lies outside of its type');
        if (bounded && after !== undefined && compareHash(leaf.hash, after.key) <= 0) continue;
        if (entries.length === limit) return { entries, next: entries.at(-1)?.path ?? after };
        entries.push({ path: { type, key: leaf.hash }, event: leaf.event });
        continue;
      }
      const order = bounded && after !== undefined ? compareHash(leaf.hash, after.type) : 1;
      if (order < 0 || (part.except !== undefined && compareHash(leaf.hash, part.except) === 0)) continue;
      const inside = { depth: 0, type: leaf.hash, bounded: order === 0 };
      if (leaf.kind === 'single') stack.push({ ...inside, leaf: leaf.key });
      else stack.push({ ...inside, id: leaf.child });
      continue;
    }
    let node = ahead.get(visit.id);
    if (node === undefined) {
      const ids = [visit.id, ...nextUnread(stack, ahead)];
      const find = yield ids;
      for (const id of ids) ahead.set(id, find(id));
      node = find(visit.id);
    }
    ahead.delete(visit.id);
    pushSlots(stack, node, visit, visit.type === undefined ? after?.type : after?.key);
  }
  return { entries, next: undefined };
}

function nextUnread(stack: readonly Visit[], ahead: ReadonlyMap<number, StoredNode>): number[] {
  const ids: number[] = [];
  for (let i = stack.length - 1; i >= 0 && ids.length + ahead.size < readAhead; i--) {
    const visit = stack[i];
    if (visit !== undefined && 'id' in visit && !ahead.has(visit.id)) ids.push(visit.id);
  }
  return ids;
}

function pushSlots(stack: Visit[], node: StoredNode, place: Place, after: Hash | undefined): void {
  const { depth, type } = place;
  const edge = place.bounded && after !== undefined ? nibble(after, depth) : -1;
  for (let index = node.slots.length - 1; index >= Math.max(edge, 0); index--) {
    const slot = node.slots[index];
    if (slot === undefined) continue;
    const bounded = index === edge;
    if (slot.kind === 'branch') stack.push({ id: slot.child, depth: depth + 1, type, bounded });
    else stack.push({ leaf: slot, depth, type, bounded });
  }
}
