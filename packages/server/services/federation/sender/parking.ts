import type { Database } from '@portico/storage';
import { type ParkedRow, readParked } from '@portico/storage/stores/federation/federation-destinations.ts';
import type { Logger } from '../../../observability/logger.ts';
import { createAlarm } from '../../alarm.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import { createParkedHosts } from './parked-hosts.ts';

/**
 * Servers that cannot be reached, and nothing is kept of but their rows: those say up to where they have everything, and when
 * they are to be asked again. One alarm looks for those that are due. Anybody may name any number of servers that do not exist.
 */
export interface Parking {
  /** Whether nothing is to be done for a server until it is woken: what there is for it will be found then. */
  has(host: string): boolean;
  /** A server's row says that it is to be asked again at some time. */
  add(host: string, retryAt: number): void;
  /** A server is seen to now, whether it is due or not, or by another process. */
  delete(host: string): void;
  /**
   * A server has said something: takes it from here, and says whether it was, or may have been, here. One that says much and
   * cannot be reached stays for a few seconds in between.
   */
  takeHeard(host: string): boolean;
  /** Others may have let go of servers, or sent to some: their rows are read anew. */
  reload(): Promise<void>;
  /** How many are known. */
  readonly size: number;
  close(): Promise<void>;
}

type Options = {
  readonly db: Database;
  readonly process: string;
  readonly now: () => number;
  readonly log: Logger;
  readonly isUnderWay: (host: string) => boolean;
  /** A server is due. It stays here until it is seen to. */
  readonly wake: (host: string) => void;
};

/** What is known of a server takes about a hundred bytes. Of others the rows are asked. */
const maxHosts = 50_000;
const perPage = 1000;
const wokenAtOnce = 500;
/** In milliseconds: those that are due at about the same time are looked for together. */
const shortestPause = 500;
const afterDefect = 10_000;
const deafFor = 10_000;
const maxHeard = 10_000;

const first: ParkedRow = { retry_at: 0, host: '' };

export function createParking({ db, process, now, log, isUnderWay, wake }: Options): Parking {
  const hosts = createParkedHosts(maxHosts);
  const deafUntil = createSmallCache<string, number>(maxHeard);
  const alarm = createAlarm(ring);
  let ringsAt = Infinity;
  /** Those that are due up to here, in their order, have been woken. Whoever is asked again is due later than that. */
  let woken = first;
  let rewinds = 0;
  let ringing: Promise<void> | undefined;
  const closing = new AbortController();
  let loading: Promise<void> = Promise.resolve();

  function schedule(at: number): void {
    if (closing.signal.aborted || at >= ringsAt) return;
    ringsAt = at;
    alarm.reset(Math.max(at - now(), shortestPause));
  }

  async function wakeDue(): Promise<void> {
    const before = rewinds;
    const rows = await readParked(db, process, woken, wokenAtOnce);
    if (rewinds !== before) return schedule(now());
    const at = now();
    for (const row of rows) {
      if (closing.signal.aborted) return;
      if (row.retry_at > at) return schedule(row.retry_at);
      woken = row;
      if (!isUnderWay(row.host)) wake(row.host);
    }
    if (rows.length === wokenAtOnce) schedule(at);
  }

  function rewind(): void {
    woken = first;
    rewinds++;
  }

  function ring(): void {
    ringsAt = Infinity;
    ringing = wakeDue().catch((error: unknown) => {
      log.error({ error }, 'Finding the servers that are to be asked again failed');
      schedule(now() + afterDefect);
    });
  }

  async function load(): Promise<void> {
    hosts.beginReading();
    let isAll = false;
    try {
      for (let last = first; !closing.signal.aborted && !isAll && !hosts.isFull;) {
        const rows = await readParked(db.long, process, last, perPage);
        hosts.read(rows.map(({ host }) => host).filter((host) => !isUnderWay(host)));
        last = rows.at(-1) ?? last;
        isAll = rows.length < perPage;
      }
    } finally {
      hosts.endReading(isAll);
      rewind();
    }
    schedule(now());
  }

  return {
    has: (host) => hosts.has(host),
    add(host, retryAt) {
      hosts.add(host);
      // The clock has been set back.
      if (retryAt <= woken.retry_at) rewind();
      schedule(retryAt);
    },
    delete: (host) => hosts.delete(host),
    takeHeard(host) {
      if (!hosts.mayHave(host)) return false;
      const at = now();
      if (at < (deafUntil.get(host) ?? 0)) return false;
      deafUntil.set(host, at + deafFor);
      hosts.delete(host);
      return true;
    },
    reload() {
      loading = loading.then(load, load);
      return loading;
    },
    get size() {
      return hosts.size;
    },
    async close() {
      closing.abort();
      alarm.clear();
      await Promise.allSettled([ringing, loading]);
    },
  };
}
