import type { Database } from '@portico/storage';
import { findErased } from '@portico/storage/stores/privacy/erasures.ts';
import { createSmallCache } from './small-cache.ts';

/** Who had everything erased that they said, as far as those are concerned who were not there. */
export interface ErasedSenders {
  among(senders: Iterable<string>): Promise<ReadonlySet<string>>;
}

/**
 * Who has said an event, and whose name it may show: others, too, say what somebody is called whom they invite, and what the
 * membership was that theirs replaces.
 */
export function peopleIn(event: {
  readonly type: string;
  readonly sender: string;
  readonly state_key: string | null;
}): readonly string[] {
  const { type, sender, state_key: stateKey } = event;
  return type === 'm.room.member' && stateKey !== null && stateKey !== sender ? [sender, stateKey] : [sender];
}

const maxKnown = 20_000;
const nobody: ReadonlySet<string> = new Set();

/** `mayBe` says who may be erased here at all: of all others, members of large rooms for instance, nothing is looked up. */
export function createErasedSenders(db: Database, mayBe: (userId: string) => boolean = () => true): ErasedSenders {
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
        if (!mayBe(sender)) continue;
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
