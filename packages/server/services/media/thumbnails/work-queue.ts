import { MatrixError } from '../../../errors/matrix-error.ts';

export interface WorkQueue {
  /** Throws `server.overloaded` if too much waits. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Whoever waits is refused; resolves when what runs is done. */
  close(): Promise<void>;
}

type Limits = { readonly concurrency: number; readonly mostWaiting: number };

/** Does a few things at a time and lets a few more wait. */
export function createWorkQueue({ concurrency, mostWaiting }: Limits): WorkQueue {
  const waiting: { readonly begin: () => void; readonly refuse: (error: MatrixError) => void }[] = [];
  const running = new Set<Promise<unknown>>();
  const overloaded = () => new MatrixError('server.overloaded', { fields: { retry_after_ms: 2000 } });

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
      if (waiting.length >= mostWaiting) return Promise.reject(overloaded());
      return new Promise((resolve, reject) => {
        waiting.push({ begin: () => resolve(start(work)), refuse: reject });
      });
    },
    async close() {
      for (const { refuse } of waiting.splice(0)) refuse(overloaded());
      await Promise.allSettled(running);
    },
  };
}
