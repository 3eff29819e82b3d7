import { createSmallCache } from '../reading/small-cache.ts';
import type { After } from '../sync/waiting.ts';

/**
 * Has the work for one person wait for that of another, but not for long: what takes its time, since somebody has set as much
 * as they may, goes on by itself while others get their turn.
 */
export interface Turns {
  /** Whether the work for somebody cannot begin now: it is under way, or it took long before and enough of that kind is. */
  mustWait(userId: string): boolean;
  /** Resolves when it is done, or for how long others wait. Failures are the caller's to catch. */
  take(userId: string, work: () => Promise<void>): Promise<void>;
  /** Resolves when nothing goes on by itself. */
  settled(): Promise<void>;
}

type Options = {
  readonly after: After;
  /** Something that went on by itself has ended. */
  readonly onEnd: () => void;
};

const patience = 50;
const mostSlow = 4;
const maxRemembered = 10_000;

export function createTurns({ after, onEnd }: Options): Turns {
  const underWay = new Map<string, Promise<void>>();
  const slow = createSmallCache<string, true>(maxRemembered);

  return {
    mustWait: (userId) => underWay.has(userId) || (underWay.size >= mostSlow && slow.get(userId) === true),
    take(userId, work) {
      return new Promise((resolve) => {
        let isSlow = false;
        const stop = after(patience, () => {
          isSlow = true;
          slow.set(userId, true);
          resolve();
        });
        const done = work().finally(() => {
          underWay.delete(userId);
          stop();
          resolve();
          if (isSlow) onEnd();
        });
        underWay.set(userId, done);
      });
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay.values());
    },
  };
}
