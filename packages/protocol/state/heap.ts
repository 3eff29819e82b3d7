/** A binary heap: what comes first by `before` is popped first. */
export type Heap<Item> = {
  push(item: Item): void;
  pop(): Item | undefined;
};

export function createHeap<Item>(before: (a: Item, b: Item) => boolean): Heap<Item> {
  const items: Item[] = [];
  return {
    push(item) {
      items.push(item);
      siftUp(items, before);
    },
    pop() {
      const first = items[0];
      const last = items.pop();
      if (first === undefined || last === undefined || items.length === 0) return first;
      items[0] = last;
      siftDown(items, before);
      return first;
    },
  };
}

function siftUp<Item>(items: Item[], before: (a: Item, b: Item) => boolean): void {
  for (let index = items.length - 1; index > 0;) {
    const parent = (index - 1) >> 1;
    if (!swapUnless(items, parent, index, before)) return;
    index = parent;
  }
}

function siftDown<Item>(items: Item[], before: (a: Item, b: Item) => boolean): void {
  for (let index = 0; ;) {
    const left = items[2 * index + 1];
    const right = items[2 * index + 2];
    if (left === undefined) return;
    const child = right !== undefined && before(right, left) ? 2 * index + 2 : 2 * index + 1;
    if (!swapUnless(items, index, child, before)) return;
    index = child;
  }
}

/** Puts the two in order; whether they were not. */
function swapUnless<Item>(
  items: Item[],
  parent: number,
  child: number,
  before: (a: Item, b: Item) => boolean,
): boolean {
  const upper = items[parent];
  const lower = items[child];
  if (upper === undefined || lower === undefined || !before(lower, upper)) return false;
  items[parent] = lower;
  items[child] = upper;
  return true;
}
