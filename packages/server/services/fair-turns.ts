import { createHeap } from '@portico/protocol/state/heap.ts';
import {
  callNext,
  createOwner,
  createPlace,
  createServer,
  dequeue,
  enqueue,
  isFull,
  lineOf,
  type Line,
  type Owner,
  park,
  type Place,
  type Server,
  unpark,
  type Waiter,
} from './turn-queues.ts';

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

/** Of those who wait, when too many do, so many are asked whether they still want to. */
const askedAtOnce = 16;

/**
 * Owners have their turns one after the other, and nobody more than half of them: others need not wait for a slow one to end. What
 * cannot have a turn for want of a place is looked at again when there is one: a turn costs the same however many wait.
 */
export function createFairTurns({ atOnce, ofServer, waiting: most, isDoubtful }: TurnLimits): FairTurns {
  const half = Math.ceil(atOnce / 2);
  const servers = new Map<string, Server>();
  const owners = new Map<string, Owner>();
  const doubtful = createPlace(half);
  const waiting = new Set<Waiter>();
  /** Owners that may have a turn, as far as is known: first whoever has had none for the longest time. */
  const queue = createHeap<Owner>((a, b) => a.since < b.since);
  let moment = 0;
  let total = 0;

  function ownerOf(name: string): Owner {
    const owner = owners.get(name) ?? createOwner(name);
    owners.set(name, owner);
    return owner;
  }

  function serverOf(name: string): Server {
    const server = servers.get(name) ?? createServer(name, ofServer);
    servers.set(name, server);
    return server;
  }

  function forgetUnused(owner: Owner, server: Server): void {
    if (owner.used + owner.lines.size === 0) owners.delete(owner.name);
    if (server.used + server.wanted === 0) servers.delete(server.name);
  }

  /** Of which place there is none left for a server, if so. */
  function wantedPlace(server: Server): Place | undefined {
    if (isFull(server)) return server;
    return isFull(doubtful) && isDoubtful(server.name) ? doubtful : undefined;
  }

  function begin(owner: Owner, server: Server): () => void {
    const places = isDoubtful(server.name) ? [server, doubtful] : [server];
    total++;
    owner.used++;
    for (const place of places) place.used++;
    return () => {
      total--;
      owner.used--;
      for (const place of places) place.used--;
      for (const place of places) offer(place);
      if (!isDoubtful(server.name)) for (const line of server.doubted) ready(line);
      forgetUnused(owner, server);
      startAll();
    };
  }

  function join(owner: Owner): void {
    if (owner.isQueued) return;
    owner.isQueued = true;
    queue.push(owner);
  }

  function ready(line: Line): void {
    unpark(line);
    line.owner.ready.add(line);
    join(line.owner);
  }

  /** There is a place: whoever is the next one, and may have a turn, is told. No more than two owners have half of the turns. */
  function offer(place: Place): void {
    for (let tries = 0; tries <= 2 && !isFull(place); tries++) {
      const owner = callNext(place)?.owner;
      if (owner === undefined) return;
      join(owner);
      if (owner.used >= half) continue;
      owner.offered.add(place);
      return;
    }
  }

  function remove(waiter: Waiter): void {
    waiting.delete(waiter);
    dequeue(waiter);
    forgetUnused(waiter.line.owner, waiter.line.server);
  }

  function firstWanted({ waiters }: Line): Waiter | undefined {
    for (const waiter of waiters) {
      if (waiter.isWanted()) return waiter;
      remove(waiter);
      waiter.drop();
    }
    return undefined;
  }

  /** Starts the first one of an owner who can be; says whether there is one. */
  function startOne({ called, ready: others }: Owner): boolean {
    for (const lines of [called, others]) {
      for (const line of lines) {
        const waiter = firstWanted(line);
        if (waiter === undefined) continue;
        const place = wantedPlace(line.server);
        if (place !== undefined) {
          park(line, place);
          continue;
        }
        lines.delete(line);
        others.add(line);
        waiter.start();
        return true;
      }
    }
    return false;
  }

  function startAll(): void {
    const busy: Owner[] = [];
    const next = (): Owner | undefined => (total < atOnce ? queue.pop() : undefined);
    for (let owner = next(); owner !== undefined; owner = next()) {
      if (owner.used >= half) {
        busy.push(owner);
        continue;
      }
      owner.isQueued = false;
      if (startOne(owner)) {
        owner.since = ++moment;
        if (owner.called.size + owner.ready.size > 0) join(owner);
      }
      // What it has not taken is for others.
      const left = [...owner.offered];
      owner.offered.clear();
      for (const place of left) offer(place);
    }
    for (const owner of busy) queue.push(owner);
  }

  /** Those who do not want to wait any more make place. */
  function makeRoom(waiters: Set<Waiter>): void {
    for (const waiter of waiters.values().take(Math.min(askedAtOnce, waiters.size))) {
      if (waiter.isWanted()) {
        waiters.delete(waiter);
        waiters.add(waiter);
      } else {
        remove(waiter);
        waiter.drop();
      }
    }
  }

  function hasRoom(owner: Owner): boolean {
    if (owner.waiters.size >= most.ofOwner) makeRoom(owner.waiters);
    if (waiting.size >= most.all) makeRoom(waiting);
    return owner.waiters.size < most.ofOwner && waiting.size < most.all;
  }

  return {
    take({ server: serverName, owner: ownerName, isWanted }, timeout) {
      const [owner, server] = [ownerOf(ownerName), serverOf(serverName)];
      if (total < atOnce && owner.used < half && wantedPlace(server) === undefined) {
        return Promise.resolve(begin(owner, server));
      }
      if (!hasRoom(owner)) {
        forgetUnused(owner, server);
        return Promise.resolve(undefined);
      }
      return new Promise((resolve) => {
        const drop = (): void => {
          clearTimeout(timer);
          resolve(undefined);
        };
        const start = (): void => {
          clearTimeout(timer);
          resolve(begin(line.owner, line.server));
          remove(waiter);
        };
        // Those who made room may have been the last ones of either.
        const line = lineOf(ownerOf(ownerName), serverOf(serverName));
        const waiter: Waiter = { line, isWanted, start, drop };
        const timer = setTimeout(() => {
          remove(waiter);
          drop();
        }, timeout);
        waiting.add(waiter);
        if (line.owner.waiters.size === 0 && !line.owner.isQueued) line.owner.since = ++moment;
        enqueue(waiter);
        join(line.owner);
      });
    },
    get waiting() {
      return waiting.size;
    },
  };
}
