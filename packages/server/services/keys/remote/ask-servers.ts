import { setTimeout as sleep } from 'node:timers/promises';
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

type Dependencies = {
  readonly now: () => number;
  readonly mostAtOnce?: number;
  readonly mostOfServer?: number;
  /** Between two attempts, in milliseconds. */
  readonly pauses?: { readonly shortest: number; readonly longest: number };
};

type History = { readonly failures: number; readonly next: number };

const mostRemembered = 20_000;
const mostWaiting = 2000;
const usualPauses = { shortest: 1000, longest: 60_000 };
/**
 * Failures in a row after which a server is no longer waited for. Before, it may be about to come back: clients that are told of a
 * failure ask for nobody of that server for a quarter of a minute and longer, and send what new devices cannot read meanwhile.
 */
const brief = 3;
/** Who is slower than people like to wait may be there all the same. */
const fairTimeout = 10_000;

/** The server is there, and somebody's keys are not as they should be: which must not hide those of everybody else. */
const ofOneAnswer: ReadonlySet<FederationFailure> = new Set(['too-large', 'bad-answer']);
/** Of these there is nothing to learn for the next time. */
const ofNothing: ReadonlySet<FederationFailure> = new Set(['refused', 'disabled']);
/** What a proxy says in front of a server that is not there. */
const awayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/** A few requests at a time for each server and in all, and pauses where nobody answers: a request for keys waits for none. */
export function createAskServer(deps: Dependencies): AskServer {
  const { now, mostAtOnce = 64, mostOfServer = 4, pauses = usualPauses } = deps;
  const histories = createSmallCache<string, History>(mostRemembered);
  const running = new Map<string, number>();
  const waiting: { readonly server: string; readonly start: () => void }[] = [];
  let total = 0;
  /** How many of those that run are of servers that failed when they were last asked; and how many wait for their pauses. */
  let doubtful = 0;
  let resting = 0;

  /** Those that failed never take all the turns, however long each of them lets others wait. */
  function isFree(server: string): boolean {
    if (total >= mostAtOnce || (running.get(server) ?? 0) >= mostOfServer) return false;
    return histories.get(server) === undefined || doubtful < mostAtOnce / 2;
  }

  /** Gives what ends the turn. */
  function take(server: string): () => void {
    const isDoubtful = histories.get(server) !== undefined;
    total++;
    if (isDoubtful) doubtful++;
    running.set(server, (running.get(server) ?? 0) + 1);
    return () => {
      if (isDoubtful) doubtful--;
      release(server);
    };
  }

  function release(server: string): void {
    total--;
    const left = (running.get(server) ?? 1) - 1;
    if (left > 0) running.set(server, left);
    else running.delete(server);
    const next = waiting.findIndex((entry) => isFree(entry.server));
    if (next !== -1) waiting.splice(next, 1)[0]?.start();
  }

  /** What ends the turn that there was before the time was up, if there was one. */
  function turn(server: string, timeout: number): Promise<(() => void) | undefined> {
    if (isFree(server)) return Promise.resolve(take(server));
    if (waiting.length >= mostWaiting) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const entry = {
        server,
        start() {
          clearTimeout(timer);
          resolve(take(server));
        },
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(entry), 1);
        resolve(undefined);
      }, timeout);
      waiting.push(entry);
    });
  }

  function pause(name: string): void {
    const failures = (histories.get(name)?.failures ?? 0) + 1;
    histories.set(name, { failures, next: now() + Math.min(pauses.shortest * 2 ** (failures - 1), pauses.longest) });
  }

  const pauseOf = (name: string): number => (histories.get(name)?.next ?? 0) - now();

  /** Whether the pause of a server ended before the time was up: one that has only just begun to fail is waited for. */
  async function rest(server: string, end: number): Promise<boolean> {
    const pause = pauseOf(server);
    if (pause <= 0) return true;
    if ((histories.get(server)?.failures ?? 0) > brief || performance.now() + pause >= end) return false;
    if (resting >= mostWaiting) return false;
    resting++;
    await sleep(pause, undefined, { ref: false });
    resting--;
    return true;
  }

  /**
   * Keeps in mind what a failure says of the server, or of the subject; whether another attempt may go better. `before`: what
   * was known when the server was asked. Of several requests at the same time, one says all there is to learn.
   */
  function learn(
    server: string,
    one: string | undefined,
    { timeout, before }: { readonly timeout: number; readonly before: History | undefined },
    { failure, refusal }: FederationError,
  ): boolean {
    if (ofOneAnswer.has(failure)) {
      histories.delete(server);
      if (one !== undefined) pause(one);
      return false;
    }
    const isAway = failure === 'unreachable' || (refusal !== undefined && awayStatuses.has(refusal.status));
    const saysNothing = ofNothing.has(failure) || (failure === 'timeout' && timeout < fairTimeout);
    if ((isAway || !saysNothing) && histories.get(server) === before) pause(server);
    return isAway;
  }

  return async (server, timeout, ask, subject) => {
    const one = subject === undefined ? undefined : `${server} ${subject}`;
    if (one !== undefined && pauseOf(one) > 0) return undefined;
    const end = performance.now() + timeout;
    for (;;) {
      const before = histories.get(server);
      if (!(await rest(server, end))) return undefined;
      const leave = await turn(server, end - performance.now());
      if (leave === undefined) return undefined;
      try {
        // Somebody else has found meanwhile that it is still away.
        if (histories.get(server) !== before && pauseOf(server) > 0) continue;
        const answer = await ask(Math.max(1, end - performance.now()));
        histories.delete(server);
        if (one !== undefined) histories.delete(one);
        return answer;
      } catch (error) {
        if (!(error instanceof FederationError)) throw error;
        if (!learn(server, one, { timeout, before }, error)) return undefined;
      } finally {
        leave();
      }
    }
  };
}
