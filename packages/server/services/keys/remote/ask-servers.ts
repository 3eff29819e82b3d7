import { FederationError, type FederationFailure } from '../../federation/client/federation-error.ts';
import { createSmallCache } from '../../reading/small-cache.ts';

/**
 * Asks a server, and gives `undefined` if it did not answer as it should, or in time, or was out of reach just now. Never
 * rejects because of the other server. `subject`: whom an answer is about that might be too long, or no answer at all.
 */
export type AskServer = <T>(
  server: string,
  timeout: number,
  ask: (timeout: number) => Promise<T>,
  subject?: string,
) => Promise<T | undefined>;

type Dependencies = { readonly now: () => number; readonly mostAtOnce?: number; readonly mostOfServer?: number };

type History = { readonly failures: number; readonly next: number };

const mostRemembered = 20_000;
const mostWaiting = 2000;
const shortestPause = 1000;
const longestPause = 60_000;
/** Who is slower than people like to wait may be there all the same. */
const fairTimeout = 10_000;

/** The server is there, and somebody's keys are not as they should be: which must not hide those of everybody else. */
const ofOneAnswer: ReadonlySet<FederationFailure> = new Set(['too-large', 'bad-answer']);
/** Of these there is nothing to learn for the next time. */
const ofNothing: ReadonlySet<FederationFailure> = new Set(['refused', 'disabled']);

/** A few requests at a time for each server and in all, and pauses where nobody answers: a request for keys waits for none. */
export function createAskServer({ now, mostAtOnce = 64, mostOfServer = 4 }: Dependencies): AskServer {
  const histories = createSmallCache<string, History>(mostRemembered);
  const running = new Map<string, number>();
  const waiting: { readonly server: string; readonly start: () => void }[] = [];
  let total = 0;

  const isFree = (server: string): boolean => total < mostAtOnce && (running.get(server) ?? 0) < mostOfServer;

  function take(server: string): void {
    total++;
    running.set(server, (running.get(server) ?? 0) + 1);
  }

  function release(server: string): void {
    total--;
    const left = (running.get(server) ?? 1) - 1;
    if (left > 0) running.set(server, left);
    else running.delete(server);
    const next = waiting.findIndex((entry) => isFree(entry.server));
    if (next !== -1) waiting.splice(next, 1)[0]?.start();
  }

  /** Whether there was a turn before the time was up. */
  function turn(server: string, timeout: number): Promise<boolean> {
    if (isFree(server)) {
      take(server);
      return Promise.resolve(true);
    }
    if (waiting.length >= mostWaiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const entry = {
        server,
        start() {
          clearTimeout(timer);
          take(server);
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(entry), 1);
        resolve(false);
      }, timeout);
      waiting.push(entry);
    });
  }

  function pause(name: string): void {
    const failures = (histories.get(name)?.failures ?? 0) + 1;
    histories.set(name, { failures, next: now() + Math.min(shortestPause * 2 ** (failures - 1), longestPause) });
  }

  const isPaused = (name: string): boolean => (histories.get(name)?.next ?? 0) > now();

  return async (server, timeout, ask, subject) => {
    const one = subject === undefined ? undefined : `${server} ${subject}`;
    if (isPaused(server) || (one !== undefined && isPaused(one))) return undefined;
    const end = performance.now() + timeout;
    if (!(await turn(server, timeout))) return undefined;
    try {
      const answer = await ask(Math.max(1, end - performance.now()));
      histories.delete(server);
      if (one !== undefined) histories.delete(one);
      return answer;
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const { failure } = error;
      if (ofOneAnswer.has(failure)) {
        histories.delete(server);
        if (one !== undefined) pause(one);
      } else if (!ofNothing.has(failure) && !(failure === 'timeout' && timeout < fairTimeout)) pause(server);
      return undefined;
    } finally {
      release(server);
    }
  };
}
