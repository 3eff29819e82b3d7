import { createSmallCache } from '../../reading/small-cache.ts';
import { OutboundError } from '../outbound-error.ts';

/**
 * How many names are asked for at a time. Anybody may have a name whose name servers are silent, or any number of them: those that
 * were not found when they were last asked for leave turns to those that were.
 */
export interface NameTurns {
  /**
   * Rejects with `OutboundError` when the time is up, which the signal says as well: `busy` if there was no turn. The turn ends with
   * the work: what cannot be given up takes a turn for as long as it goes on. Work that finds `undefined` has not found the name.
   */
  run<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Under way and waiting. */
  readonly size: number;
}

export type NameTurnLimits = {
  readonly atOnce: number;
  /** Of these, names that were not found lately. */
  readonly doubtful: number;
  /** Milliseconds for the name, those included in which it waits for its turn. */
  readonly time: number;
};

const mostWaiting = 2000;
const mostFound = 20_000;

export function createNameTurns({ atOnce, doubtful, time }: NameTurnLimits): NameTurns {
  const found = createSmallCache<string, true>(mostFound);
  const running = { found: 0, doubtful: 0 };
  const waiting = { found: new Set<() => void>(), doubtful: new Set<() => void>() };

  let isScheduled = false;

  function startOne(): boolean {
    for (const kind of ['found', 'doubtful'] as const) {
      const [start] = waiting[kind];
      if (start === undefined || running.found + running.doubtful >= atOnce) continue;
      if (kind === 'doubtful' && running.doubtful >= doubtful) continue;
      waiting[kind].delete(start);
      running[kind]++;
      start();
      return true;
    }
    return false;
  }

  /** One for each turn of the event loop, the first at once: each reads how names are looked up here. */
  function startNext(): void {
    if (isScheduled || !startOne()) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      startNext();
    });
  }

  return {
    run<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
      const kind = found.get(name) ? 'found' : 'doubtful';
      if (waiting[kind].size >= mostWaiting) {
        return Promise.reject(new OutboundError('busy', `Too many names are looked for already to look for ${name}`));
      }
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const controller = new AbortController();
      const timer = setTimeout(() => {
        controller.abort();
        const seconds = `${time / 1000} seconds`;
        // Of a name that had no turn nothing is known.
        if (waiting[kind].delete(start)) reject(new OutboundError('busy', `${name} had no turn within ${seconds}`));
        else reject(new OutboundError('unknown-host', `Nobody could say within ${seconds} where ${name} is`));
      }, time);
      const end = (): void => {
        clearTimeout(timer);
        running[kind]--;
        startNext();
      };
      async function take(): Promise<void> {
        try {
          const answer = await work(controller.signal);
          if (answer === undefined || controller.signal.aborted) found.delete(name);
          else found.set(name, true);
          resolve(answer);
        } catch (error) {
          found.delete(name);
          reject(error);
        } finally {
          end();
        }
      }
      const start = (): void => void take();
      waiting[kind].add(start);
      startNext();
      return promise;
    },
    get size() {
      return running.found + running.doubtful + waiting.found.size + waiting.doubtful.size;
    },
  };
}
