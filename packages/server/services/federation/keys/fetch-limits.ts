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
  /**
   * Runs `fetch` unless it runs for this server already (then all get its end), or ran too short a time ago. Until then, everybody waits
   * among their own for a turn: whoever asks in the name of a server holds up nobody else who wants its keys.
   */
  run(serverName: string, how: KeyFetch, fetch: () => Promise<boolean>): Promise<void>;
  readonly waiting: number;
  readonly mostWaiting: number;
}

/** A server whose keys some want, and when the fetch of which all of them get the end has ended. */
type Wanted = {
  readonly runs: Map<string, Promise<void>>;
  readonly ended: PromiseWithResolvers<undefined>;
  state: 'waits' | 'fetching' | 'ended';
};

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
  const wanted = new Map<string, Wanted>();
  const unknown = new Set<string>();
  const histories = createSmallCache<string, History>(mostRemembered);
  const turns = createFairTurns({
    atOnce: mostAtOnce,
    ofServer: 1,
    waiting: { ofOwner: mostWaitingOfOwner, all: mostWaiting },
    isDoubtful: (server) => unknown.has(server),
  });

  async function runOnce(
    server: string,
    one: Wanted,
    { owner, patience }: KeyFetch,
    fetch: () => Promise<boolean>,
  ): Promise<void> {
    const turn = turns.take({ server, owner, isWanted: () => one.state !== 'ended' }, patience);
    const end = await Promise.race([turn, one.ended.promise]);
    if (end === undefined) return;
    one.state = 'fetching';
    const failures = (histories.get(server)?.failures ?? 0) + 1;
    let history: History = { failures, next: now() + Math.min(afterFailure * 2 ** (failures - 1), longestBackoff) };
    try {
      if (await fetch()) history = { failures: 0, next: now() + afterSuccess };
    } finally {
      histories.set(server, history);
      // Before the turn ends: nobody has another one for this.
      one.state = 'ended';
      one.ended.resolve(undefined);
      end();
    }
  }

  return {
    run(server, how, fetch) {
      const known = wanted.get(server);
      const own = known?.runs.get(how.owner);
      if (own !== undefined) return own;
      if (known?.state === 'fetching') return known.ended.promise;
      if ((histories.get(server)?.next ?? 0) > now()) return Promise.resolve();
      if (!how.isKnown) unknown.add(server);
      const one: Wanted = known ?? { runs: new Map(), ended: Promise.withResolvers(), state: 'waits' };
      wanted.set(server, one);
      const run = runOnce(server, one, how, fetch).finally(() => {
        one.runs.delete(how.owner);
        if (one.runs.size > 0) return;
        wanted.delete(server);
        unknown.delete(server);
      });
      one.runs.set(how.owner, run);
      return run;
    },
    get waiting() {
      return turns.waiting;
    },
    mostWaiting,
  };
}
