export type TurnOf = {
  readonly server: string;
  /** Among whom turns are shared. */
  readonly owner: string;
  /** Whether anybody still waits for it. */
  readonly isWanted: () => boolean;
};

/** Turns for asking servers. */
export interface FairTurns {
  /** What ends the turn; `undefined` where there was none before the time was up, or nobody wants it any more, or too much waits. */
  take(turn: TurnOf, timeout: number): Promise<(() => void) | undefined>;
  /** How many wait for one. */
  readonly waiting: number;
}

export type TurnLimits = {
  readonly atOnce: number;
  readonly ofServer: number;
  /** How many may wait, of one owner and in all. */
  readonly waiting: { readonly ofOwner: number; readonly all: number };
  /** Whether a server may not be there, such as one that failed when it was last asked: those never take more than half of the turns. */
  readonly isDoubtful: (server: string) => boolean;
};

type Entry = TurnOf & { readonly start: () => void; readonly drop: () => void };

/** Owners have their turns one after the other, and nobody more than half of them: others need not wait for a slow one to end. */
export function createFairTurns({ atOnce, ofServer, waiting: most, isDoubtful }: TurnLimits): FairTurns {
  const half = Math.ceil(atOnce / 2);
  const servers = new Map<string, number>();
  const owners = new Map<string, number>();
  /** Whoever had a turn last is the last in it. */
  const waiting = new Map<string, Set<Entry>>();
  let waitingInAll = 0;
  let total = 0;
  let doubtful = 0;

  function isFree({ server, owner }: TurnOf): boolean {
    if (total >= atOnce || (servers.get(server) ?? 0) >= ofServer || (owners.get(owner) ?? 0) >= half) return false;
    return doubtful < half || !isDoubtful(server);
  }

  /** Gives what ends the turn. */
  function begin({ server, owner }: TurnOf): () => void {
    const wasDoubtful = isDoubtful(server);
    total++;
    if (wasDoubtful) doubtful++;
    add(servers, server, 1);
    add(owners, owner, 1);
    return () => {
      total--;
      if (wasDoubtful) doubtful--;
      add(servers, server, -1);
      add(owners, owner, -1);
      while (startNext());
    };
  }

  function remove(entry: Entry): void {
    const own = waiting.get(entry.owner);
    if (own?.delete(entry) !== true) return;
    waitingInAll--;
    if (own.size === 0) waiting.delete(entry.owner);
  }

  function startNext(): boolean {
    if (total >= atOnce) return false;
    for (const [owner, entries] of waiting) {
      for (const entry of entries) {
        const isWanted = entry.isWanted();
        if (isWanted && !isFree(entry)) continue;
        remove(entry);
        if (!isWanted) {
          entry.drop();
          continue;
        }
        if (entries.size > 0) {
          waiting.delete(owner);
          waiting.set(owner, entries);
        }
        entry.start();
        return true;
      }
    }
    return false;
  }

  function hasRoom(owner: string): boolean {
    const isFull = () => (waiting.get(owner)?.size ?? 0) >= most.ofOwner || waitingInAll >= most.all;
    if (!isFull()) return true;
    for (const entries of waiting.values()) {
      for (const entry of entries) {
        if (entry.isWanted()) continue;
        remove(entry);
        entry.drop();
      }
    }
    return !isFull();
  }

  return {
    take(turn, timeout) {
      if (isFree(turn)) return Promise.resolve(begin(turn));
      if (!hasRoom(turn.owner)) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const drop = (): void => {
          clearTimeout(timer);
          resolve(undefined);
        };
        const start = (): void => {
          clearTimeout(timer);
          resolve(begin(turn));
        };
        const entry: Entry = { ...turn, start, drop };
        const timer = setTimeout(() => {
          remove(entry);
          drop();
        }, timeout);
        const own = waiting.get(turn.owner) ?? new Set();
        waiting.set(turn.owner, own.add(entry));
        waitingInAll++;
      });
    },
    get waiting() {
      return waitingInAll;
    },
  };
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
