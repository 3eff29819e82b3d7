import type { Committed, WriteSet } from '../database.ts';

/** A write set that waits for its commit. */
export type Pending = {
  readonly set: WriteSet;
  readonly bytes: number;
  readonly since: number;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: unknown) => void;
};

/** How far a set moves the position counter. Changes need a position of their own, even if no row carries it. */
export function advanceOf(set: WriteSet): number {
  return set.positions === 0 && set.changes.length > 0 ? 1 : set.positions;
}

export function returningCount(set: WriteSet): number {
  let count = 0;
  for (const { returning } of set.writes) if (returning) count++;
  return count;
}

const none: readonly number[] = [];

/** The positions of a set whose predecessor ended at `base`. */
export function positionsFrom(base: number, set: WriteSet): readonly number[] {
  return set.positions === 0 ? none : Array.from({ length: set.positions }, (_, index) => base + 1 + index);
}

/** About what the set weighs on its way to the database. */
export function bytesOfSet(set: WriteSet): number {
  let bytes = 0;
  for (const { params } of set.writes) {
    for (const value of params) {
      bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
    }
  }
  return bytes;
}
