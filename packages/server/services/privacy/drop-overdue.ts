import { createWriteSet, type Database } from '@portico/storage';
import { dropOverdue, readSoonestOverdue } from '@portico/storage/stores/privacy/overdue.ts';

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly onFailure: (error: unknown) => void;
  /** Milliseconds. */
  readonly every?: number;
};

const usualPause = 60_000;
/** Of each kind, with one commit. */
const mostAtOnce = 1000;

/** Lets go of what is kept of people for a while only, whether or not anything else happens on the server. */
export function createDropOverdue({ db, now, onFailure, every = usualPause }: Dependencies) {
  let working: Promise<void> | undefined;
  const ending = new AbortController();

  async function work(): Promise<void> {
    while (!ending.signal.aborted) {
      const at = now();
      const soonest = await readSoonestOverdue(db);
      if (soonest === undefined || soonest > at) return;
      const set = createWriteSet();
      dropOverdue(set, at, mostAtOnce);
      await db.commit(set);
    }
  }

  function run(): Promise<void> {
    working ??= work().finally(() => {
      working = undefined;
    });
    return working;
  }

  const timer = setInterval(() => void run().catch(onFailure), every).unref();

  return {
    /** Does so now. */
    run,
    async close(): Promise<void> {
      ending.abort();
      clearInterval(timer);
      await working?.catch(() => undefined);
    },
  };
}
