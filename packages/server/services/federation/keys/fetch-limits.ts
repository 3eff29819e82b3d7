import { createFairTurns } from '../../fair-turns.ts';
import { createSmallCache } from '../../reading/small-cache.ts';

/** On whose behalf a server is asked for its keys. */
export type KeyFetch = {
  /** Among whom turns are shared: an address, for requests that anybody may make; or what this server does itself. */
  readonly owner: string;
  /** Whether a key of that server has been seen before: one that nobody made up. */
  readonly isKnown: boolean;
  /** Milliseconds for which a turn is waited for. */
  readonly patience: number;
};

export interface FetchLimits {
  /** Runs `fetch` unless it runs for this server already (then both get its end), or ran too short a time ago. */
  run(serverName: string, how: KeyFetch, fetch: () => Promise<boolean>): Promise<void>;
  readonly waiting: number;
  readonly mostWaiting: number;
}

type History = { readonly failures: number; readonly next: number };

/** Half of them are for servers of which some key is known, and none for more than half of one owner's. */
const mostAtOnce = 32;
const mostWaiting = 1000;
const mostWaitingOfOwner = 500;
const mostRemembered = 20_000;

/** Milliseconds after an answer that did not have what was wanted: another one so soon would not, either. */
const afterSuccess = 30_000;
const afterFailure = 2000;
const longestBackoff = 10 * 60_000;

/**
 * Keeps whoever makes us look for keys, such as of servers that they invented, from making us a nuisance, and from keeping us
 * from those of others: one fetch at a time for each server, a few in all, and longer and longer pauses where nobody answers.
 */
export function createFetchLimits(now: () => number): FetchLimits {
  const running = new Map<string, Promise<void>>();
  const unknown = new Set<string>();
  const histories = createSmallCache<string, History>(mostRemembered);
  const turns = createFairTurns({
    atOnce: mostAtOnce,
    ofServer: 1,
    waiting: { ofOwner: mostWaitingOfOwner, all: mostWaiting },
    isDoubtful: (server) => unknown.has(server),
  });

  async function runOnce(server: string, { owner, patience }: KeyFetch, fetch: () => Promise<boolean>): Promise<void> {
    const end = await turns.take({ server, owner, isWanted: () => true }, patience);
    if (end === undefined) return;
    const failures = (histories.get(server)?.failures ?? 0) + 1;
    let history: History = { failures, next: now() + Math.min(afterFailure * 2 ** (failures - 1), longestBackoff) };
    try {
      if (await fetch()) history = { failures: 0, next: now() + afterSuccess };
    } finally {
      histories.set(server, history);
      end();
    }
  }

  return {
    run(serverName, how, fetch) {
      const known = running.get(serverName);
      if (known !== undefined) return known;
      if ((histories.get(serverName)?.next ?? 0) > now()) return Promise.resolve();
      if (!how.isKnown) unknown.add(serverName);
      const run = runOnce(serverName, how, fetch).finally(() => {
        running.delete(serverName);
        unknown.delete(serverName);
      });
      running.set(serverName, run);
      return run;
    },
    get waiting() {
      return turns.waiting;
    },
    mostWaiting,
  };
}
