import { StorageError, type Reader } from '@portico/storage';
import type { After } from '../sync/waiting.ts';
import type { ContentStore } from './content-store.ts';
import { sweepOrphans } from './sweep.ts';

export type HousekeepingLog = {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

type Dependencies = {
  readonly db: Reader;
  readonly store: ContentStore;
  readonly now: () => number;
  readonly after: After;
  readonly log: HousekeepingLog;
};

/** Nobody waits for it while the server starts. In milliseconds. */
const firstAfter = 30_000;
const day = 24 * 60 * 60 * 1000;

export interface Housekeeping {
  /** Deletes content whose row was not written. */
  discard(contentId: string, reason: unknown): Promise<void>;
  close(): Promise<void>;
}

/** Sweeps the content store soon and every day. */
export function startHousekeeping({ db, store, now, after, log }: Dependencies): Housekeeping {
  const ending = new AbortController();
  let running = Promise.resolve();
  let cancel = after(firstAfter, start);

  async function sweep(): Promise<void> {
    try {
      const deleted = await sweepOrphans({ db, store, now }, ending.signal);
      if (deleted > 0) log.info({ deleted }, 'deleted content that no media had');
    } catch (error) {
      log.error({ err: error }, 'sweeping the content store failed');
    }
    if (!ending.signal.aborted) cancel = after(day, start);
  }
  function start(): void {
    running = sweep();
  }

  return {
    async discard(contentId, reason) {
      // The row may be there after all: then the content must stay; if it is not, the next sweep finds it.
      if (reason instanceof StorageError && reason.reason === 'outcome-unknown') return;
      await store.delete(contentId);
    },
    async close() {
      ending.abort();
      cancel();
      await running;
    },
  };
}
