import { createPacer } from '../pacer.ts';
import type { After } from '../sync/waiting.ts';
import { createTurns } from './turns.ts';

/** What has happened to somebody that others may see. */
export type Happened = {
  /** Others may see them now, or no longer. */
  mayBeSeenByOthers: boolean;
  /** Rooms that they came into or left, where nothing else is the matter. */
  readonly rooms: Set<number>;
  /** Of those, the ones that they were not known to be in. */
  readonly newIn: Set<number>;
};

/** Whom others are to be told about, each once for all that happened at the same moment. */
export interface FanOutQueue {
  /** What is to be told of somebody, for the caller to add to. It is told soon. */
  add(userId: string): Happened;
  /** Somebody who syncs has come into a room or left one. */
  moved(viewer: string): void;
  /** Resolves when what has been added so far has been told. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

type Options = {
  readonly after: After;
  readonly tellAbout: (userId: string, happened: Happened) => Promise<void>;
  readonly lookAround: (viewer: string) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
};

export function createFanOutQueue({ after, tellAbout, lookAround, onFailure }: Options): FanOutQueue {
  const waiting = new Map<string, Happened>();
  const movedViewers = new Set<string>();
  let running: Promise<void> | undefined;
  let isClosed = false;
  const turns = createTurns({ after, onEnd: startIfNeeded });

  function start(): void {
    if (isClosed) return;
    running ??= run()
      .catch(onFailure)
      .finally(() => {
        running = undefined;
        startIfNeeded();
      });
  }

  function startIfNeeded(): void {
    if (movedViewers.size > 0 || findNext() !== undefined) start();
  }

  function findNext(): readonly [userId: string, happened: Happened] | undefined {
    return waiting.entries().find(([userId]) => !turns.mustWait(userId));
  }

  async function run(): Promise<void> {
    // What happens at the same moment is told together.
    await Promise.resolve();
    const pace = createPacer();
    for (;;) {
      const next = findNext();
      const [viewer] = movedViewers;
      if (isClosed || (next === undefined && viewer === undefined)) return;
      if (viewer !== undefined) {
        movedViewers.delete(viewer);
        await lookAround(viewer);
      }
      if (next !== undefined) {
        const [userId, happened] = next;
        waiting.delete(userId);
        await turns.take(userId, () => tellAbout(userId, happened).catch(onFailure));
      }
      await pace();
    }
  }

  async function settled(): Promise<void> {
    for (let work = running; work !== undefined; work = running) await work;
    await turns.settled();
    // What went on by itself may have had others wait for it.
    if (running !== undefined) await settled();
  }

  return {
    add(userId) {
      let happened = waiting.get(userId);
      if (happened === undefined) {
        happened = { mayBeSeenByOthers: false, rooms: new Set(), newIn: new Set() };
        waiting.set(userId, happened);
      }
      start();
      return happened;
    },
    moved(viewer) {
      movedViewers.add(viewer);
      start();
    },
    settled,
    async close() {
      isClosed = true;
      await running;
      await turns.settled();
    },
  };
}
