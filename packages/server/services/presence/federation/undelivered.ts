import type { After } from '../../sync/waiting.ts';
import { createDueTimes } from '../due-times.ts';

/**
 * People of whom it is not known to have arrived at some server that they are offline: there was no room for it, or another
 * process was to send it. They are looked at again and again, until it has.
 */
export interface Undelivered {
  add(userId: string, host: string): void;
  delete(userId: string): void;
  /** A server has room again: those of whom it may not have heard. */
  takeAt(host: string): readonly string[];
  close(): void;
}

type Options = { readonly now: () => number; readonly after: After; readonly onDue: (userId: string) => void };

/** What another process has sent is noted by then. */
const first = 2 * 60_000;
const longest = 60 * 60_000;

type Waiting = { readonly wait: number; readonly hosts: Set<string> };

export function createUndelivered({ now, after, onDue }: Options): Undelivered {
  const waiting = new Map<string, Waiting>();
  const byHost = new Map<string, Set<string>>();
  const dueTimes = createDueTimes({ now, after, onDue });
  return {
    add(userId, host) {
      const people = byHost.get(host);
      if (people === undefined) byHost.set(host, new Set([userId]));
      else people.add(userId);
      const { wait: last = first / 2, hosts = new Set<string>() } = waiting.get(userId) ?? {};
      const wait = Math.min(last * 2, longest);
      waiting.set(userId, { wait, hosts: hosts.add(host) });
      dueTimes.set(userId, now() + wait);
    },
    delete(userId) {
      for (const host of waiting.get(userId)?.hosts ?? []) {
        const people = byHost.get(host);
        people?.delete(userId);
        if (people?.size === 0) byHost.delete(host);
      }
      waiting.delete(userId);
      dueTimes.set(userId, undefined);
    },
    takeAt(host) {
      const people = [...(byHost.get(host) ?? [])];
      byHost.delete(host);
      for (const userId of people) waiting.get(userId)?.hosts.delete(host);
      return people;
    },
    close: dueTimes.close,
  };
}
