import { createWriteSet, type Database, StorageError } from '@portico/storage';
import {
  readLongestUnread,
  readRemoteMediaSize,
  readThumbnailsOf,
  removeRemoteMedia,
  type UnreadMediaRow,
} from '@portico/storage/stores/media/remote-media.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { ContentStore } from '../../media/content-store.ts';

/** Keeps what is stored of other servers' media under a quota. */
export interface RemoteMediaCache {
  /** To be told of each file that is stored. What is too much is taken away soon. */
  grown(bytes: number): void;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly quota: number;
  readonly log: Logger;
};

const atOnce = 100;
/** A full cache is emptied to that part of its quota, so that not every further file has to wait for another to go. */
const target = 0.9;

export function createRemoteMediaCache({ db, store, quota, log }: Dependencies): RemoteMediaCache {
  /** Since it was counted; other processes count what they fetch themselves. */
  let size: number | undefined;
  let running: Promise<void> | undefined;
  const ending = new AbortController();

  async function remove(rows: readonly UnreadMediaRow[]): Promise<number> {
    let removed = 0;
    for (const row of rows) {
      const thumbnails = await readThumbnailsOf(db, [row.content_id]);
      const set = createWriteSet();
      removeRemoteMedia(set, row);
      try {
        await db.commit(set);
      } catch (error) {
        if (error instanceof StorageError && error.guard === 'media.read-again') continue;
        throw error;
      }
      // A file that somebody is reading just now can still be read to its end.
      for (const contentId of [row.content_id, ...thumbnails]) await store.delete(contentId);
      removed += row.size;
    }
    return removed;
  }

  async function tidy(): Promise<void> {
    size ??= await readRemoteMediaSize(db.long);
    if (size <= quota) return;
    size = await readRemoteMediaSize(db.long);
    let deleted = 0;
    while (size > quota * target && !ending.signal.aborted) {
      const rows: UnreadMediaRow[] = [];
      let planned = 0;
      for (const row of await readLongestUnread(db, atOnce)) {
        if (size - planned <= quota * target) break;
        rows.push(row);
        planned += row.size;
      }
      const removed = await remove(rows);
      if (removed === 0) break;
      size -= removed;
      deleted += rows.length;
    }
    if (deleted > 0)
      log.info({ deleted }, 'Took away media of other servers that nobody has looked at for a long time');
  }

  function start(): void {
    running ??= tidy()
      .catch((error: unknown) => {
        size = undefined;
        log.error({ err: error }, 'Tidying up the media of other servers failed');
      })
      .finally(() => {
        running = undefined;
      });
  }

  return {
    grown(bytes) {
      if (size !== undefined) size += bytes;
      if (!ending.signal.aborted && (size === undefined || size > quota)) start();
    },
    async close() {
      ending.abort();
      await running;
    },
  };
}
