import type { Reader } from '@portico/storage';
import { findUsedContents } from '@portico/storage/stores/media/media.ts';
import type { ContentStore } from './content-store.ts';

/** Younger content may belong to a row that is just being written. In milliseconds. */
const grace = 60 * 60 * 1000;
const atOnce = 500;

/**
 * Deletes content that no row stands for, as a crash between the two leaves it. Answers how much there was.
 */
export async function sweepOrphans(
  { db, store, now }: { readonly db: Reader; readonly store: ContentStore; readonly now: () => number },
  signal: AbortSignal,
): Promise<number> {
  const before = now() - grace;
  let deleted = 0;
  for await (const shelf of store.list()) {
    for (let at = 0; at < shelf.length; at += atOnce) {
      if (signal.aborted) return deleted;
      const contents = shelf.slice(at, at + atOnce);
      const used = await findUsedContents(db, contents);
      for (const contentId of contents) {
        if (used.has(contentId) || ((await store.findTime(contentId)) ?? Infinity) >= before) continue;
        await store.delete(contentId);
        deleted += 1;
      }
    }
  }
  return deleted;
}
