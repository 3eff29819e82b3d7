import { createWriteSet, type Database, StorageError } from '@portico/storage';
import {
  deliverSticky,
  readStickyArrivals,
  readUndeliveredSticky,
  type StickyArrivalRow,
} from '@portico/storage/stores/events/sticky-deliveries.ts';
import { createAlarm } from '../../alarm.ts';

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
  /** In milliseconds: before a server that has come is sent anything, and between one portion and the next. */
  readonly pauses?: { readonly first: number; readonly next: number };
};

const perPortion = 50;
const arrivalsAtOnce = 50;
/** Until then a server has mostly taken in what it was told of the room. */
const usualPauses = { first: 2000, next: 1000 };

/**
 * "When a new server joins the room, existing servers MUST attempt to push all of their own sticky events." In portions with
 * pauses between them, for all servers that have come: a room full of sticky events is no flood to those who join it.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
 */
export function createStickyArrivals({ db, now, log, pauses = usualPauses }: Dependencies): { close(): Promise<void> } {
  let closed = false;
  const next = createAlarm(begin);
  let working: Promise<void> | undefined;

  /** Whether there is more for the server. */
  async function deliver(arrival: StickyArrivalRow): Promise<boolean> {
    const nids = await readUndeliveredSticky(db, arrival, now(), perPortion + 1);
    const portion = nids.slice(0, perPortion);
    const isLast = portion.length === nids.length;
    const set = createWriteSet();
    deliverSticky(set, arrival, portion, isLast);
    try {
      await db.commit(set);
      return !isLast;
    } catch (error) {
      // Another process does it.
      if (error instanceof StorageError && error.guard === 'sticky.arrival') return false;
      throw error;
    }
  }

  async function work(): Promise<void> {
    const arrivals = await readStickyArrivals(db, arrivalsAtOnce);
    let hasMore = arrivals.length === arrivalsAtOnce;
    for (const arrival of arrivals) {
      if (closed) return;
      hasMore = (await deliver(arrival)) || hasMore;
    }
    if (hasMore) workIn(pauses.next);
  }

  function begin(): void {
    working = (working ?? Promise.resolve()).then(work).catch((error: unknown) => {
      log.warn({ err: error }, 'Sending sticky events to servers that came into rooms failed');
      workIn(pauses.next);
    });
  }

  function workIn(milliseconds: number): void {
    if (!closed) next.set(milliseconds);
  }

  const stop = db.onChanges((batches) => {
    if (batches.some(({ changes }) => changes.some(({ kind }) => kind === 'sticky_arrival' || kind === '*'))) {
      workIn(pauses.first);
    }
  });
  workIn(pauses.first);

  return {
    async close() {
      closed = true;
      stop();
      next.clear();
      await working;
    },
  };
}
