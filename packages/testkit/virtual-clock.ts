import type { After } from '@portico/server/services/sync/waiting.ts';

/** A time that passes only when a test says so. */
export interface VirtualClock {
  now(): number;
  readonly after: After;
  /** Lets that many milliseconds pass, and calls back whoever waits for them, in order. */
  pass(milliseconds: number): void;
  unique(): number;
}

export function createVirtualClock(start = 1_700_000_000_000): VirtualClock {
  let at = start;
  let count = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  function next(until: number): number | undefined {
    let first: number | undefined;
    for (const [id, timer] of timers) {
      const before = first === undefined ? until : (timers.get(first)?.at ?? until);
      if (timer.at < before || (first === undefined && timer.at <= until)) first = id;
    }
    return first;
  }

  return {
    now: () => at,
    unique: () => ++count,
    after(milliseconds, callback) {
      const id = ++count;
      timers.set(id, { at: at + Math.max(0, milliseconds), callback });
      return () => timers.delete(id);
    },
    pass(milliseconds) {
      const end = at + milliseconds;
      for (let id = next(end); id !== undefined; id = next(end)) {
        const timer = timers.get(id);
        timers.delete(id);
        at = Math.max(at, timer?.at ?? at);
        timer?.callback();
      }
      at = end;
    },
  };
}
