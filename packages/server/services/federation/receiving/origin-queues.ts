import { MatrixError } from '../../../errors/matrix-error.ts';

/** Lets the transactions of one server happen one after the other. */
export interface OriginQueues {
  /** Throws where too many of the server's wait already. */
  run<T>(origin: string, work: () => Promise<T>): Promise<T>;
}

/**
 * "The sending server must wait and retry for a 200 OK response before sending a transaction with a different `txnId`": who
 * does so has one at a time, and a repeated one that takes part in the first.
 */
const maxWaiting = 10;

export function createOriginQueues(): OriginQueues {
  const queues = new Map<string, { last: Promise<unknown>; length: number }>();
  return {
    async run(origin, work) {
      const queue = queues.get(origin) ?? { last: Promise.resolve(), length: 0 };
      if (queue.length > maxWaiting) {
        throw new MatrixError('request.limit-exceeded', { fields: { retry_after_ms: 1000 } });
      }
      queues.set(origin, queue);
      queue.length++;
      const result = queue.last.then(work);
      queue.last = result.catch(() => undefined);
      try {
        return await result;
      } finally {
        if (--queue.length === 0) queues.delete(origin);
      }
    },
  };
}
