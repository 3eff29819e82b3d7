/** Time that passes when a test says so. */
export interface ManualClock {
  now(): number;
  after(milliseconds: number, callback: () => void): () => void;
  /** Lets time pass; what is due on the way happens at its moment, and `settled` is waited for after each. */
  pass(milliseconds: number): Promise<void>;
}

export function createManualClock(start: number, settled: () => Promise<void>): ManualClock {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    now: () => now,
    after(milliseconds, callback) {
      const timer = { at: now + milliseconds, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async pass(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.callback();
        await settled();
      }
      now = end;
    },
  };
}
