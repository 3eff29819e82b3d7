/** Keeps what was used last, up to a number of entries, or what they weigh. */
export type SmallCache<K, V> = {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
  readonly size: number;
};

export function createSmallCache<K, V>(maxWeight: number, weigh: (value: V) => number = () => 1): SmallCache<K, V> {
  // Two generations instead of an order: what is not asked for while one fills up is dropped with it.
  let young = new Map<K, V>();
  let old = new Map<K, V>();
  let weight = 0;
  const half = Math.max(1, maxWeight >> 1);

  function remove(key: K): void {
    const known = young.get(key);
    if (known !== undefined && young.delete(key)) weight -= weigh(known);
  }

  function put(key: K, value: V): void {
    remove(key);
    const own = weigh(value);
    if (weight + own > half && young.size > 0) {
      old = young;
      young = new Map();
      weight = 0;
    }
    if (own > half) return;
    young.set(key, value);
    weight += own;
  }

  return {
    get(key) {
      const recent = young.get(key);
      if (recent !== undefined) return recent;
      const found = old.get(key);
      if (found !== undefined) put(key, found);
      return found;
    },
    set(key, value) {
      old.delete(key);
      put(key, value);
    },
    delete(key) {
      remove(key);
      old.delete(key);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
