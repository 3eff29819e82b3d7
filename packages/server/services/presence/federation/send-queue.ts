import type { After } from '../../sync/waiting.ts';
import { createTurns } from '../turns.ts';

/** Who is to be told about, each when their time has come and not more often than once a second. */
export interface SendQueue {
  add(userId: string, delay: number): void;
  settled(): Promise<void>;
  close(): Promise<void>;
}

type Options = {
  readonly now: () => number;
  readonly after: After;
  readonly send: (userId: string) => Promise<void>;
  readonly onFailure: (error: unknown) => void;
};

const pause = 1000;
const maxRecent = 10_000;

export function createSendQueue({ now, after, send, onFailure }: Options): SendQueue {
  const due = new Map<string, number>();
  const lastSent = new Map<string, number>();
  let running: Promise<void> | undefined;
  let stopTimer: (() => void) | undefined;
  let timerAt = Infinity;
  let isClosed = false;
  const turns = createTurns({ after, onEnd: watchNext });

  function watch(at: number): void {
    if (isClosed || running !== undefined || at >= timerAt) return;
    stopTimer?.();
    timerAt = at;
    stopTimer = after(Math.max(at - now(), 0), start);
  }

  function start(): void {
    timerAt = Infinity;
    stopTimer = undefined;
    running ??= run()
      .catch(onFailure)
      .finally(() => {
        running = undefined;
        watchNext();
      });
  }

  function watchNext(): void {
    let next = Infinity;
    for (const [userId, at] of due) if (at < next && !turns.mustWait(userId)) next = at;
    if (next !== Infinity) watch(next);
  }

  async function run(): Promise<void> {
    for (const [userId, at] of Array.from(due)) {
      if (isClosed) return;
      if (at > now() || turns.mustWait(userId)) continue;
      due.delete(userId);
      note(userId);
      await turns.take(userId, () => send(userId).catch(onFailure));
    }
  }

  function note(userId: string): void {
    lastSent.delete(userId);
    lastSent.set(userId, now());
    for (const [oldest, at] of lastSent) {
      if (lastSent.size <= maxRecent && now() - at < pause) return;
      lastSent.delete(oldest);
    }
  }

  return {
    add(userId, delay) {
      const at = Math.max(now() + delay, (lastSent.get(userId) ?? -Infinity) + pause);
      const before = due.get(userId);
      if (before !== undefined && before <= at) return;
      due.set(userId, at);
      watch(at);
    },
    async settled() {
      for (let work = running; work !== undefined; work = running) await work;
      await turns.settled();
    },
    async close() {
      isClosed = true;
      stopTimer?.();
      await running;
      await turns.settled();
    },
  };
}
