import type { After } from '../sync/waiting.ts';

/** Calls back for each of many keys when its time has come, to within a second. */
export interface DueTimes {
  /** Instead of what was set for the key before; `undefined` for no time. */
  set(key: string, at: number | undefined): void;
  close(): void;
}

type Options = { readonly now: () => number; readonly after: After; readonly onDue: (key: string) => void };

const step = 1000;

export function createDueTimes({ now, after, onDue }: Options): DueTimes {
  const times = new Map<string, number>();
  const slots = new Map<number, Set<string>>();
  let next = Infinity;
  let stopTimer: (() => void) | undefined;
  let isClosed = false;

  function watch(slot: number): void {
    if (isClosed || slot >= next) return;
    stopTimer?.();
    next = slot;
    stopTimer = after(Math.max(slot * step - now(), 1), expire);
  }

  function expire(): void {
    stopTimer = undefined;
    next = Infinity;
    const at = now();
    let earliest = Infinity;
    for (const [slot, keys] of Array.from(slots)) {
      if (slot * step > at) {
        earliest = Math.min(earliest, slot);
        continue;
      }
      slots.delete(slot);
      for (const key of keys) {
        times.delete(key);
        onDue(key);
      }
    }
    watch(earliest);
  }

  return {
    set(key, at) {
      const before = times.get(key);
      const slot = at === undefined ? undefined : Math.ceil(at / step);
      if (before === slot) return;
      if (before !== undefined) {
        const keys = slots.get(before);
        keys?.delete(key);
        if (keys?.size === 0) slots.delete(before);
        times.delete(key);
      }
      if (slot === undefined) return;
      times.set(key, slot);
      const keys = slots.get(slot);
      if (keys === undefined) slots.set(slot, new Set([key]));
      else keys.add(key);
      watch(slot);
    },
    close() {
      isClosed = true;
      stopTimer?.();
    },
  };
}
