import { createWriteSet, type Database } from '@portico/storage';
import { dropOldPreviews, listOldPreviewImages } from '@portico/storage/stores/media/url-previews.ts';
import type { Logger } from '../../observability/logger.ts';
import type { ContentStore } from '../media/content-store.ts';
import { removeFiles } from '../media/remove-media.ts';
import type { After } from '../sync/waiting.ts';

type Dependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly now: () => number;
  readonly after: After;
  readonly log: Pick<Logger, 'info' | 'error'>;
};

const every = 15 * 60_000;
const atOnce = 100;

/** Takes away previews and their images whose time is over, soon after the start and every few minutes. */
export function startPreviewSweep({ db, store, now, after, log }: Dependencies): { close(): Promise<void> } {
  const ending = new AbortController();
  let running = Promise.resolve();
  let cancel = after(every, start);

  async function sweep(): Promise<void> {
    try {
      const set = createWriteSet();
      dropOldPreviews(set, now());
      await db.commit(set);
      let deleted = 0;
      while (!ending.signal.aborted) {
        const images = await listOldPreviewImages(db, now(), atOnce);
        if (images.length === 0) break;
        await removeFiles({ db, store }, images);
        deleted += images.length;
      }
      if (deleted > 0) log.info({ deleted }, 'Took away images of old previews');
    } catch (error) {
      log.error({ err: error }, 'Sweeping previews failed');
    }
    if (!ending.signal.aborted) cancel = after(every, start);
  }
  function start(): void {
    running = sweep();
  }

  return {
    async close() {
      ending.abort();
      cancel();
      await running;
    },
  };
}
