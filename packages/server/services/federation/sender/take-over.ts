import type { Database } from '@portico/storage';
import { readHostsBehind } from '@portico/storage/stores/federation/federation-outgoing.ts';
import { readHostsWithEdus } from '@portico/storage/stores/federation/stored-edus.ts';
import type { Logger } from '../../../observability/logger.ts';
import { createAlarm } from '../../alarm.ts';

/** Finds the servers that lack something for which nobody was there to see to it. */
export interface TakeOver {
  /** They may lack what was committed after a position. */
  start(after: number): Promise<void>;
  /** What was committed after this may not have been offered to everybody; infinite when it has. */
  readonly after: number;
  close(): void;
}

type Options = {
  readonly db: Database;
  readonly log: Logger;
  /** Before they are found. */
  readonly prepare: () => Promise<void>;
  /** A server lacks something that was committed after a position, or may. */
  readonly offerAnything: (host: string, after: number) => void;
  /** EDUs wait for a server. */
  readonly offerStored: (host: string) => void;
};

const hostsPerPage = 1000;
const afterDefect = 10_000;

export function createTakeOver({ db, log, prepare, offerAnything, offerStored }: Options): TakeOver {
  let after = Infinity;
  const closing = new AbortController();
  const again = createAlarm(() => void start(after));

  async function offerAllStored(): Promise<void> {
    for (let last: string | undefined = ''; last !== undefined && !closing.signal.aborted;) {
      const hosts: readonly string[] = await readHostsWithEdus(db.long, last, hostsPerPage);
      for (const host of hosts) offerStored(host);
      last = hosts.length < hostsPerPage ? undefined : hosts.at(-1);
    }
  }

  async function start(from: number): Promise<void> {
    after = Math.min(after, from);
    const lowest = after;
    try {
      await prepare();
      for (const host of await readHostsBehind(db.long, lowest)) offerAnything(host, lowest);
      await offerAllStored();
      if (after >= lowest) after = Infinity;
    } catch (error) {
      log.error({ error }, 'Finding the servers that are behind failed');
      if (!closing.signal.aborted) again.set(afterDefect);
    }
  }

  return {
    start,
    get after() {
      return after;
    },
    close() {
      closing.abort();
      again.clear();
    },
  };
}
