import type { StoredNode } from './node.ts';

export type FindNode = (id: number) => StoredNode;

/**
 * A question about a trie, as a generator: it yields the numbers of the nodes it needs next, all that it can name at once,
 * and is given a function that finds them. So the same code answers from memory without waiting, or with one query a level.
 */
export type Steps<T> = Generator<readonly number[], T, FindNode>;

export interface NodeSource {
  /** A node that is in memory. */
  find(id: number): StoredNode | undefined;
  /** Reads nodes; throws where one does not exist. */
  load(ids: readonly number[]): Promise<FindNode>;
}

/** The answer, where all the nodes it needs are in memory. */
export function answerNow<T>(source: NodeSource, steps: Steps<T>): { readonly value: T } | undefined {
  let find: FindNode = unasked;
  for (;;) {
    const step = steps.next(find);
    if (step.done === true) return { value: step.value };
    const found = findAll(source, step.value);
    if (found === undefined) return undefined;
    find = found;
  }
}

export async function answer<T>(source: NodeSource, steps: Steps<T>): Promise<T> {
  let find: FindNode = unasked;
  for (;;) {
    const step = steps.next(find);
    if (step.done === true) return step.value;
    find = findAll(source, step.value) ?? (await source.load(step.value));
  }
}

function findAll(source: NodeSource, ids: readonly number[]): FindNode | undefined {
  const found = new Map<number, StoredNode>();
  for (const id of ids) {
    const node = source.find(id);
    if (node === undefined) return undefined;
    found.set(id, node);
  }
  return findIn(found);
}

export function findIn(nodes: ReadonlyMap<number, StoredNode>): FindNode {
  return (id) => {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`state node ${id} does not exist`);
    return node;
  };
}

const unasked = findIn(new Map());
