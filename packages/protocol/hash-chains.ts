/** Places of a list by hash, in memory that is taken once: a table of a hundred thousand texts takes long to grow. */
export interface HashChains {
  add(place: number, hash: number): void;
  /** How many were added that may have this hash. */
  lengthOf(hash: number): number;
  /** Puts the places with this hash behind others. */
  collect(hash: number, into: number[]): void;
}

export function createHashChains(count: number): HashChains {
  const slots = 2 ** Math.max(4, Math.ceil(Math.log2(count)) - 1);
  const heads = new Int32Array(slots).fill(-1);
  const lengths = new Int32Array(slots);
  const next = new Int32Array(count);
  const hashes = new Int32Array(count);
  const slotOf = (hash: number): number => (hash ^ (hash >>> 15)) & (slots - 1);

  return {
    add(place, hash) {
      const slot = slotOf(hash);
      next[place] = heads[slot] ?? -1;
      hashes[place] = hash;
      heads[slot] = place;
      lengths[slot] = (lengths[slot] ?? 0) + 1;
    },
    lengthOf: (hash) => lengths[slotOf(hash)] ?? 0,
    collect(hash, into) {
      for (let place = heads[slotOf(hash)] ?? -1; place !== -1; place = next[place] ?? -1) {
        if (hashes[place] === hash) into.push(place);
      }
    },
  };
}

/** A hash of what was hashed before and one more number. */
export function hashNext(hash: number, value: number): number {
  return Math.imul(hash ^ value, 0x01000193);
}
