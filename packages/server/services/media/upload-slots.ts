import { MatrixError } from '../../errors/matrix-error.ts';

const mostPerUser = 20;

/** How many uploads one person may have under way: each holds a connection and a file. */
export function createUploadSlots(): { use<T>(userId: string, work: () => Promise<T>): Promise<T> } {
  const taken = new Map<string, number>();
  return {
    async use(userId, work) {
      const before = taken.get(userId) ?? 0;
      if (before >= mostPerUser) throw new MatrixError('media.too-many-uploads', { fields: { retry_after_ms: 2000 } });
      taken.set(userId, before + 1);
      try {
        return await work();
      } finally {
        const left = (taken.get(userId) ?? 1) - 1;
        if (left === 0) taken.delete(userId);
        else taken.set(userId, left);
      }
    },
  };
}
