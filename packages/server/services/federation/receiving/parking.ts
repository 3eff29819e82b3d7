/** Events that build on others which are not here yet, by what they miss. */
export interface Parking<Item> {
  readonly size: number;
  /** Keeps an event until `arrived` was told of all that it misses, or it is taken away. */
  park(item: Item, missing: readonly string[]): void;
  /** An event is here: the items that miss nothing more, which are parked no longer. */
  arrived(eventId: string): readonly Item[];
  /** Those that miss this event. */
  waitingFor(eventId: string): readonly Item[];
  has(item: Item): boolean;
  leave(item: Item): void;
}

export function createParking<Item>(): Parking<Item> {
  const places = new Map<Item, Set<string>>();
  const byMissing = new Map<string, Set<Item>>();

  function leave(item: Item): void {
    const missing = places.get(item);
    places.delete(item);
    for (const eventId of missing ?? []) {
      const items = byMissing.get(eventId);
      items?.delete(item);
      if (items?.size === 0) byMissing.delete(eventId);
    }
  }

  return {
    get size() {
      return places.size;
    },
    park(item, missing) {
      places.set(item, new Set(missing));
      for (const each of missing) {
        const items = byMissing.get(each) ?? new Set();
        byMissing.set(each, items.add(item));
      }
    },
    arrived(eventId) {
      const ready: Item[] = [];
      for (const item of byMissing.get(eventId) ?? []) {
        const missing = places.get(item);
        missing?.delete(eventId);
        if (missing?.size === 0) ready.push(item);
      }
      byMissing.delete(eventId);
      for (const item of ready) leave(item);
      return ready;
    },
    waitingFor: (eventId) => [...(byMissing.get(eventId) ?? [])],
    has: (item) => places.has(item),
    leave,
  };
}
