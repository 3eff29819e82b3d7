import { StorageError } from '../errors.ts';

export type GroupQueueOptions<Item> = {
  /** Runs a group to its end and settles its items; never rejects. */
  readonly run: (group: readonly Item[]) => Promise<void>;
  readonly bytesOf: (item: Item) => number;
  /** How many items and bytes may wait. */
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
};

export type GroupQueue<Item> = {
  /** Throws `overloaded` where the queue is full. */
  readonly push: (item: Item) => void;
  /** Takes out everything that waits, without running it. */
  readonly takeAll: () => readonly Item[];
  readonly waiting: () => { readonly sets: number; readonly bytes: number };
  /** Resolves as soon as nothing waits and nothing runs. */
  readonly idle: () => Promise<void>;
};

const maxGroup = 256;
const maxGroupBytes = 4 * 1024 * 1024;

/**
 * Groups what waits at the same moment: while one group runs the next one gathers, and when nothing runs, whatever came
 * in the same turn of the event loop goes together. Nobody waits for company.
 */
export function createGroupQueue<Item>(options: GroupQueueOptions<Item>): GroupQueue<Item> {
  let items: Item[] = [];
  let bytes = 0;
  let state: 'idle' | 'scheduled' | 'running' = 'idle';
  let idleWaiters: (() => void)[] = [];

  const take = (): readonly Item[] => {
    let end = 0;
    let taken = 0;
    for (; end < items.length && end < maxGroup; end++) {
      const size = options.bytesOf(items[end] as Item);
      if (end > 0 && taken + size > maxGroupBytes) break;
      taken += size;
    }
    bytes -= taken;
    const group = end === items.length ? items : items.slice(0, end);
    items = end === items.length ? [] : items.slice(end);
    return group;
  };

  const settle = () => {
    state = 'idle';
    const waiters = idleWaiters;
    idleWaiters = [];
    for (const resolve of waiters) resolve();
  };

  const runNext = () => {
    if (items.length === 0) return settle();
    state = 'running';
    void options.run(take()).then(schedule);
  };

  const schedule = () => {
    if (items.length === 0) return settle();
    state = 'scheduled';
    setImmediate(runNext);
  };

  return {
    push(item) {
      const size = options.bytesOf(item);
      if (items.length >= options.maxWaiting || (items.length > 0 && bytes + size > options.maxWaitingBytes)) {
        throw new StorageError('overloaded', 'Too many writes wait for the database');
      }
      items.push(item);
      bytes += size;
      if (state === 'idle') schedule();
    },
    takeAll() {
      const all = items;
      items = [];
      bytes = 0;
      return all;
    },
    waiting: () => ({ sets: items.length, bytes }),
    idle: () => (state === 'idle' ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
  };
}
