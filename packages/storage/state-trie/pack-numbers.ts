/** Numbers for new packs, from a block in memory, so that an edit needs not wait for one. */
export interface PackNumbers {
  /** The first of `count` consecutive numbers, unless the block is used up. */
  takeNow(count: number): number | undefined;
  take(count: number): Promise<number>;
}

/** `reserve` answers the first of `count` numbers that nobody else gets. A new block is fetched when half of one is left. */
export function createPackNumbers(reserve: (count: number) => Promise<number>, blockSize = 4096): PackNumbers {
  let next = 0;
  let end = 0;
  let spare: { readonly from: number; readonly to: number } | undefined;
  let fetching: Promise<void> | undefined;

  async function fetchBlock(): Promise<void> {
    try {
      const from = await reserve(blockSize);
      spare = { from, to: from + blockSize };
    } finally {
      fetching = undefined;
    }
  }

  function prefetch(): void {
    if (spare !== undefined || fetching !== undefined || end - next > blockSize / 2) return;
    fetching = fetchBlock();
    // Whoever finds the block empty waits for a fetch of their own and hears of the failure then.
    fetching.catch(() => undefined);
  }

  function takeNow(count: number): number | undefined {
    if (end - next < count && spare !== undefined) {
      ({ from: next, to: end } = spare);
      spare = undefined;
    }
    if (end - next < count) return undefined;
    const first = next;
    next += count;
    prefetch();
    return first;
  }

  return {
    takeNow,
    async take(count) {
      if (count > blockSize / 2) return reserve(count);
      for (;;) {
        const first = takeNow(count);
        if (first !== undefined) return first;
        fetching ??= fetchBlock();
        await fetching;
      }
    },
  };
}
