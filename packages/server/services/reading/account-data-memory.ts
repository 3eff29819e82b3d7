import type { Database } from '@portico/storage';
import { createSmallCache } from './small-cache.ts';

/** What is made of people's account data, kept in memory until that changes. */
export interface AccountDataMemory<T> {
  of(userId: string): Promise<T>;
  /** At once, if it is in memory. */
  known(userId: string): T | undefined;
}

type Options<T> = {
  readonly load: (userId: string) => Promise<T>;
  readonly maxWeight: number;
  /** 1 each if left out. */
  readonly weigh?: (value: T) => number;
};

export function createAccountDataMemory<T>(db: Database, { load, maxWeight, weigh }: Options<T>): AccountDataMemory<T> {
  const cache = createSmallCache<string, T>(maxWeight, weigh);
  const loads = new Map<string, Promise<T>>();

  db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== 'account_data' || typeof key !== 'string') continue;
        cache.delete(key);
        // A load under way may have read what was there before: whoever asks from now on reads again.
        loads.delete(key);
      }
    }
  });

  return {
    known: (userId) => cache.get(userId),
    of(userId) {
      const known = cache.get(userId);
      if (known !== undefined) return Promise.resolve(known);
      const underWay = loads.get(userId);
      if (underWay !== undefined) return underWay;
      const loading = load(userId).then(
        (value) => {
          if (loads.get(userId) === loading) {
            loads.delete(userId);
            cache.set(userId, value);
          }
          return value;
        },
        (error: unknown) => {
          if (loads.get(userId) === loading) loads.delete(userId);
          throw error;
        },
      );
      loads.set(userId, loading);
      return loading;
    },
  };
}
