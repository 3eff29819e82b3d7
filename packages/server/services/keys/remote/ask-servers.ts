import { setTimeout as sleep } from 'node:timers/promises';
import { FederationError, type FederationFailure } from '../../federation/client/federation-error.ts';
import { createSmallCache, type SmallCache } from '../../reading/small-cache.ts';
import { createFairTurns } from '../../fair-turns.ts';

export type Question = {
  /** Whom an answer is about that might be too long, or no answer at all. */
  readonly subject?: string | undefined;
  /** On whose behalf, who has turns like all others. */
  readonly owner?: string;
  /** Whether anybody still waits for the answer. */
  readonly isWanted?: () => boolean;
};

/**
 * Asks a server, and gives `undefined` if it did not answer as it should, or in time, or was out of reach just now. Never
 * rejects because of the other server.
 */
export type AskServer = <T>(
  server: string,
  timeout: number,
  ask: (timeout: number) => Promise<T>,
  question?: Question,
) => Promise<T | undefined>;

/** Both know how servers answered. Somebody waits for a claim to say something: it never stands behind queries. */
export type AskServers = { readonly query: AskServer; readonly claim: AskServer };

type Dependencies = {
  readonly now: () => number;
  readonly mostAtOnce?: number;
  readonly mostOfServer?: number;
  /** Between two attempts, in milliseconds. */
  readonly pauses?: { readonly shortest: number; readonly longest: number };
};

type History = { readonly failures: number; readonly next: number };

const mostRemembered = 20_000;
/** A claim is for two thousand devices at most, and people with many rooms ask for as many servers when they log in. */
const mostWaiting = { ofOwner: 2000, all: 10_000 };
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
export function createAskServers(deps: Dependencies): AskServers {
  const histories = createSmallCache<string, History>(mostRemembered);
  return { query: createAskServer(deps, histories), claim: createAskServer(deps, histories) };
}

function createAskServer(deps: Dependencies, histories: SmallCache<string, History>): AskServer {
  const { now, mostAtOnce = 64, mostOfServer = 4, pauses = usualPauses } = deps;
  const turns = createFairTurns({
    atOnce: mostAtOnce,
    ofServer: mostOfServer,
    waiting: mostWaiting,
    isDoubtful: (server) => histories.get(server) !== undefined,
  });
  /** How many wait for the pauses of servers. */
  let resting = 0;

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
    if (resting >= mostWaiting.all) return false;
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

  return async (server, timeout, ask, { subject, owner = '', isWanted = () => true } = {}) => {
    const one = subject === undefined ? undefined : `${server} ${subject}`;
    if (one !== undefined && pauseOf(one) > 0) return undefined;
    const end = performance.now() + timeout;
    for (;;) {
      const before = histories.get(server);
      if (!(await rest(server, end)) || !isWanted()) return undefined;
      const leave = await turns.take({ server, owner, isWanted }, end - performance.now());
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
