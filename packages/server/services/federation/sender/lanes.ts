/**
 * How many transactions are under way at once: some for servers that answer, and others, fewer, for those that have not
 * answered lately, or have never been asked; of those that have not answered, some for servers that never shared a room with this one. So those that hang wait for each other only. One that
 * has answered until now and hangs gives up its place after a while, for as long as there are not too many of these. And how many servers, of which nothing is known yet, are looked
 * for in the database at once, which everybody else wants to write to as well.
 */
export interface Lanes {
  run<T>(lane: Lane, work: () => Promise<T>): Promise<T>;
  waiting(lane: Lane): number;
}

const all = ['unknown', 'healthy', 'untried', 'failing', 'lost'] as const;
export type Lane = (typeof all)[number];

const usual = { unknown: 50, healthy: 200, untried: 100, failing: 50, lost: 20 };

/** In milliseconds: most servers answer within one second. */
const usualPatience = 5000;
/** Transactions that are under way and have no place any more. */
const usualSlow = 300;

type Limits = Partial<Readonly<Record<Lane, number>>> & { readonly patience?: number; readonly slow?: number };

export function createLanes({ patience = usualPatience, slow: maxSlow = usualSlow, ...given }: Limits = {}): Lanes {
  const limits = { ...usual, ...given };
  let slow = 0;
  /** Those that are to give up their places as soon as there are not too many that have. */
  const overdue = new Set<() => void>();
  const running = { unknown: 0, healthy: 0, untried: 0, failing: 0, lost: 0 };
  const queues: Readonly<Record<Lane, (() => void)[]>> = {
    unknown: [],
    healthy: [],
    untried: [],
    failing: [],
    lost: [],
  };
  let scheduled = false;

  /** Starts what waits first in each lane, and says whether anything was started. */
  function startSome(): boolean {
    let hasStarted = false;
    for (const lane of all) {
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
      let isSlow = false;
      const timer = lane === 'healthy' ? setTimeout(giveUpPlace, patience) : undefined;
      function giveUpPlace(): void {
        if (slow >= maxSlow) return void overdue.add(giveUpPlace);
        isSlow = true;
        slow++;
        running[lane]--;
        schedule();
      }
      try {
        return await work();
      } finally {
        clearTimeout(timer);
        overdue.delete(giveUpPlace);
        if (isSlow) {
          slow--;
          const [next] = overdue;
          if (next !== undefined && overdue.delete(next)) next();
        } else running[lane]--;
        schedule();
      }
    },
  };
}
