/** Keeps what was used last, up to a number of entries. */
export type SmallCache<K, V> = {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
  readonly size: number;
};

export function createSmallCache<K, V>(maxEntries: number): SmallCache<K, V> {
  // Two generations instead of an order: what is not asked for while one fills up is dropped with it.
  let young = new Map<K, V>();
  let old = new Map<K, V>();
  const half = Math.max(1, maxEntries >> 1);

  function put(key: K, value: V): void {
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  }

  return {
    get(key) {
      const recent = young.get(key);
      if (recent !== undefined) return recent;
      const found = old.get(key);
      if (found !== undefined) put(key, found);
      return found;
    },
    set: put,
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
