import { createSmallCache } from '../../reading/small-cache.ts';

export interface FetchLimits {
  /** Runs `fetch` unless it runs for this server already (then both get its end), or ran too short a time ago. */
  run(serverName: string, fetch: () => Promise<boolean>): Promise<void>;
  readonly waiting: number;
  readonly mostWaiting: number;
}

type History = { readonly failures: number; readonly next: number };

const mostAtOnce = 16;
const mostWaiting = 500;
const mostRemembered = 20_000;

/** Milliseconds after an answer that did not have what was wanted: another one so soon would not, either. */
const afterSuccess = 30_000;
const afterFailure = 2000;
const longestBackoff = 10 * 60_000;

/**
 * Keeps whoever makes us look for keys, such as of servers that they invented, from making us a nuisance: one fetch at a
 * time for each server, a few in all, and longer and longer pauses where nobody answers.
 */
export function createFetchLimits(now: () => number): FetchLimits {
  const running = new Map<string, Promise<void>>();
  const histories = createSmallCache<string, History>(mostRemembered);
  const queue: (() => void)[] = [];
  let free = mostAtOnce;

  async function takeTurn(): Promise<void> {
    if (free > 0) {
      free--;
      return;
    }
    await new Promise<void>((resolve) => queue.push(resolve));
  }

  function passTurn(): void {
    const next = queue.shift();
    if (next === undefined) free++;
    else next();
  }

  async function runOnce(serverName: string, fetch: () => Promise<boolean>): Promise<void> {
    await takeTurn();
    const failures = (histories.get(serverName)?.failures ?? 0) + 1;
    let history: History = { failures, next: now() + Math.min(afterFailure * 2 ** (failures - 1), longestBackoff) };
    try {
      if (await fetch()) history = { failures: 0, next: now() + afterSuccess };
    } finally {
      histories.set(serverName, history);
      passTurn();
    }
  }

  return {
    run(serverName, fetch) {
      const known = running.get(serverName);
      if (known !== undefined) return known;
      if ((histories.get(serverName)?.next ?? 0) > now() || queue.length >= mostWaiting) return Promise.resolve();
      const run = runOnce(serverName, fetch).finally(() => running.delete(serverName));
      running.set(serverName, run);
      return run;
    },
    get waiting() {
      return queue.length;
    },
    mostWaiting,
  };
}
