import { MatrixError } from '../errors/matrix-error.ts';
import type { ErrorReason } from '../errors/table.ts';

export interface WorkQueue {
  /** Throws the refusal, `server.overloaded` by default, if too much waits. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Running and waiting. */
  readonly size: number;
  /** Whoever waits is refused; resolves when what runs is done. */
  close(): Promise<void>;
}

type Limits = {
  readonly concurrency: number;
  readonly mostWaiting: number;
  readonly refusal?: ErrorReason;
};

/** Does a few things at a time and lets a few more wait. */
export function createWorkQueue(limits: Limits): WorkQueue {
  const { concurrency, mostWaiting, refusal = 'server.overloaded' } = limits;
  const waiting: { readonly begin: () => void; readonly refuse: (error: MatrixError) => void }[] = [];
  const running = new Set<Promise<unknown>>();
  const refused = () => new MatrixError(refusal, { fields: { retry_after_ms: 2000 } });

  async function start<T>(work: () => Promise<T>): Promise<T> {
    const result = work();
    running.add(result);
    try {
      return await result;
    } finally {
      running.delete(result);
      waiting.shift()?.begin();
    }
  }

  return {
    run(work) {
      if (running.size < concurrency) return start(work);
      if (waiting.length >= mostWaiting) return Promise.reject(refused());
      return new Promise((resolve, reject) => {
        waiting.push({ begin: () => resolve(start(work)), refuse: reject });
      });
    },
    get size() {
      return running.size + waiting.length;
    },
    async close() {
      for (const { refuse } of waiting.splice(0)) refuse(refused());
      await Promise.allSettled(running);
    },
  };
}
