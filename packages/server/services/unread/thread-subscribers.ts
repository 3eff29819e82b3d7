import type { Database } from '@portico/storage';
import { readSubscribers, subscribersChange } from '@portico/storage/stores/events/thread-subscriptions.ts';
import { createSmallCache } from '../reading/small-cache.ts';

/** Who has subscribed to threads, for those that somebody's rules ask about. */
export interface ThreadSubscribers {
  of(threadNid: number): ReadonlySet<string> | undefined;
  load(threadNid: number): Promise<void>;
  close(): void;
}

const maxThreads = 5000;
const attempts = 5;

export function createThreadSubscribers(db: Database): ThreadSubscribers {
  const known = createSmallCache<number, ReadonlySet<string>>(maxThreads);
  /** Counts changes, so that a load which they overtook is made again. */
  let generation = 0;
  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== subscribersChange) continue;
        generation += 1;
        known.delete(Number(key));
      }
    }
  });
  return {
    of: (threadNid) => known.get(threadNid),
    async load(threadNid) {
      for (let attempt = 1; ; attempt++) {
        const before = generation;
        const found = new Set(await readSubscribers(db, threadNid));
        if (before !== generation && attempt < attempts) continue;
        known.set(threadNid, found);
        return;
      }
    },
    close: stop,
  };
}
