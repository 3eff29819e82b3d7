import type { Database } from '@portico/storage';
import { mediaChangeKey, type MediaKey } from '@portico/storage/stores/media/media.ts';
import type { After } from '../sync/waiting.ts';

/** Requests that wait for content which somebody has announced. */
export interface Arrivals {
  /** Whether it came in time. Answers at once if too many wait already. */
  wait(key: MediaKey, milliseconds: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

const mostWaiting = 1000;

export function createArrivals({ db, after }: { readonly db: Database; readonly after: After }): Arrivals {
  const waiting = new Map<string, Set<() => void>>();
  let count = 0;
  const stop = db.onChanges((batch) => {
    if (count === 0) return;
    for (const { changes } of batch) {
      for (const { kind, key } of changes) {
        if (kind === 'media') for (const arrived of waiting.get(String(key)) ?? []) arrived();
      }
    }
  });

  return {
    wait(mediaKey, milliseconds, signal) {
      if (milliseconds <= 0 || signal.aborted || count >= mostWaiting) return Promise.resolve(false);
      const key = mediaChangeKey(mediaKey);
      const waiters = waiting.get(key) ?? new Set();
      waiting.set(key, waiters);
      count += 1;
      return new Promise((resolve) => {
        const end = (came: boolean) => {
          cancel();
          signal.removeEventListener('abort', onAbort);
          count -= 1;
          waiters.delete(onArrival);
          if (waiters.size === 0) waiting.delete(key);
          resolve(came);
        };
        const onArrival = () => end(true);
        const onAbort = () => end(false);
        const cancel = after(milliseconds, () => end(false));
        waiters.add(onArrival);
        signal.addEventListener('abort', onAbort);
      });
    },
    close: stop,
  };
}
