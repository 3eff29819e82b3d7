/**
 * How many transactions are under way at once: some for servers that answer, and others, fewer, for those that have not
 * answered lately. So those that hang wait for each other only.
 */
export interface Lanes {
  run<T>(lane: Lane, work: () => Promise<T>): Promise<T>;
  waiting(lane: Lane): number;
}

export type Lane = 'healthy' | 'failing';

export function createLanes(limits: Readonly<Record<Lane, number>> = { healthy: 200, failing: 50 }): Lanes {
  const running = { healthy: 0, failing: 0 };
  const queues: Readonly<Record<Lane, (() => void)[]>> = { healthy: [], failing: [] };
  let scheduled = false;

  /** Starts what waits first in each lane, and says whether anything was started. */
  function startSome(): boolean {
    let hasStarted = false;
    for (const lane of ['healthy', 'failing'] as const) {
      if (running[lane] >= limits[lane]) continue;
      const start = queues[lane].shift();
      if (start === undefined) continue;
      running[lane]++;
      hasStarted = true;
      start();
    }
    return hasStarted;
  }

  /** One start for each turn of the event loop, the first at once: a message to a thousand servers lets others in between. */
  function schedule(): void {
    if (scheduled || !startSome()) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      schedule();
    });
  }

  return {
    waiting: (lane) => queues[lane].length,
    async run(lane, work) {
      await new Promise<void>((resolve) => {
        queues[lane].push(resolve);
        schedule();
      });
      try {
        return await work();
      } finally {
        running[lane]--;
        schedule();
      }
    },
  };
}
