/** Events that were given up, and are kept in case that what they build on comes after all. */
export interface GivenUp<Item> {
  /** Keeps one, and drops the one that has been kept for longest where there are too many. */
  keep(item: Item, onDropped: () => void): void;
  /** It is kept no longer, and nobody is told. */
  take(item: Item): void;
}

export function createGivenUp<Item>(most: number): GivenUp<Item> {
  const kept = new Map<Item, () => void>();
  return {
    keep(item, onDropped) {
      kept.set(item, onDropped);
      const [oldest] = kept;
      if (oldest === undefined || kept.size <= most) return;
      kept.delete(oldest[0]);
      oldest[1]();
    },
    take: (item) => void kept.delete(item),
  };
}
