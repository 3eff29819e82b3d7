import { createWorkQueue, type WorkQueue } from '../work-queue.ts';

type Limits = { readonly concurrency: number; readonly mostWaiting: number };

/** A queue for each person who has something in it. */
export interface UserQueues {
  /** Throws `preview.too-many` if too much of theirs waits. */
  run<T>(userId: string, work: () => Promise<T>): Promise<T>;
}

export function createUserQueues(limits: Limits): UserQueues {
  const queues = new Map<string, WorkQueue>();
  return {
    async run(userId, work) {
      const queue = queues.get(userId) ?? createWorkQueue({ ...limits, refusal: 'preview.too-many' });
      queues.set(userId, queue);
      try {
        return await queue.run(work);
      } finally {
        if (queue.size === 0) queues.delete(userId);
      }
    },
  };
}
