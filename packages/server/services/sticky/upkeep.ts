import { createWriteSet, type Database } from '@portico/storage';
import {
  dropExpiredStickyEvents,
  readStickyEndsSoonest,
  readStickyToRelease,
  releaseStickyEvent,
} from '@portico/storage/stores/events/sticky-events.ts';
import { dropDeliveredSticky, hasStickyDeliveries } from '@portico/storage/stores/events/sticky-deliveries.ts';

/** Lets go of sticky events that have ended, and tells of those for which there was no place before. */
export interface StickyUpkeep {
  /** Does so now. */
  run(): Promise<void>;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
  /** Milliseconds. */
  readonly every?: number;
};

const usualPause = 60_000;
const droppedAtOnce = 10_000;
const releasedAtOnce = 500;

/** What has ended is told to nobody, whether or not it is still here: this keeps the table small. */
export function createStickyUpkeep({ db, now, log, every = usualPause }: Dependencies): StickyUpkeep {
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    const at = now();
    const [soonest, held, hasDeliveries] = await Promise.all([
      readStickyEndsSoonest(db),
      // Others may have sent any number that has to wait.
      readStickyToRelease(db.long, at, releasedAtOnce),
      hasStickyDeliveries(db),
    ]);
    const set = createWriteSet();
    if (soonest !== undefined && soonest <= at) dropExpiredStickyEvents(set, at, droppedAtOnce);
    for (const event of held) releaseStickyEvent(set, event, set.takePosition());
    if (hasDeliveries) dropDeliveredSticky(set, droppedAtOnce);
    if (set.writes.length > 0) await db.commit(set);
  }

  function run(): Promise<void> {
    working ??= work().finally(() => {
      working = undefined;
    });
    return working;
  }

  const timer = setInterval(() => {
    run().catch((error: unknown) => log.warn({ err: error }, 'Looking after sticky events failed'));
  }, every).unref();

  return {
    run,
    async close() {
      clearInterval(timer);
      await working?.catch(() => undefined);
    },
  };
}
