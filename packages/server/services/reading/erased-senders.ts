import type { Database } from '@portico/storage';
import { findErased } from '@portico/storage/stores/privacy/erasures.ts';
import { createSmallCache } from './small-cache.ts';

/** Who had everything erased that they said, as far as those are concerned who were not there. */
export interface ErasedSenders {
  among(senders: Iterable<string>): Promise<ReadonlySet<string>>;
}

const maxKnown = 20_000;
const nobody: ReadonlySet<string> = new Set();

export function createErasedSenders(db: Database): ErasedSenders {
  const known = createSmallCache<string, boolean>(maxKnown);
  /** Counts erasures, so that what was read before one is not kept after it. */
  let generation = 0;

  db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== 'erasure') continue;
        generation += 1;
        known.delete(String(key));
      }
    }
  });

  return {
    async among(senders) {
      const erased = new Set<string>();
      const unknown: string[] = [];
      for (const sender of new Set(senders)) {
        const answer = known.get(sender);
        if (answer === undefined) unknown.push(sender);
        else if (answer) erased.add(sender);
      }
      if (unknown.length > 0) {
        const before = generation;
        const found = await findErased(db, unknown);
        for (const sender of unknown) {
          if (found.has(sender)) erased.add(sender);
          if (before === generation) known.set(sender, found.has(sender));
        }
      }
      return erased.size === 0 ? nobody : erased;
    },
  };
}
