import { MatrixError } from '../errors/matrix-error.ts';

/** Lets what is done under one key happen one after the other. */
export interface QueuesByKey {
  /** Throws `request.limit-exceeded` where too much waits under the key already. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createQueuesByKey(mostWaiting: number): QueuesByKey {
  const queues = new Map<string, { last: Promise<unknown>; length: number }>();
  return {
    async run(key, work) {
      const queue = queues.get(key) ?? { last: Promise.resolve(), length: 0 };
      if (queue.length > mostWaiting) {
        throw new MatrixError('request.limit-exceeded', { fields: { retry_after_ms: 1000 } });
      }
      queues.set(key, queue);
      queue.length++;
      const result = queue.last.then(work);
      queue.last = result.catch(() => undefined);
      try {
        return await result;
      } finally {
        if (--queue.length === 0) queues.delete(key);
      }
    },
  };
}
