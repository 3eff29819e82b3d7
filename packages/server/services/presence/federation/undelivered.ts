import type { After } from '../../sync/waiting.ts';
import { createDueTimes } from '../due-times.ts';

/**
 * People of whom it is not known to have arrived at some server that they are offline: there was no room for it, or another
 * process was to send it. They are looked at again and again, until it has.
 */
export interface Undelivered {
  add(userId: string): void;
  delete(userId: string): void;
  close(): void;
}

type Options = { readonly now: () => number; readonly after: After; readonly onDue: (userId: string) => void };

/** What another process has sent is noted by then. */
const first = 2 * 60_000;
const longest = 60 * 60_000;

export function createUndelivered({ now, after, onDue }: Options): Undelivered {
  const waits = new Map<string, number>();
  const dueTimes = createDueTimes({ now, after, onDue });
  return {
    add(userId) {
      const wait = Math.min((waits.get(userId) ?? first / 2) * 2, longest);
      waits.set(userId, wait);
      dueTimes.set(userId, now() + wait);
    },
    delete(userId) {
      waits.delete(userId);
      dueTimes.set(userId, undefined);
    },
    close: dueTimes.close,
  };
}
