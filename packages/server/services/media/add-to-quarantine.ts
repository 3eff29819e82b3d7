import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import type { MediaKey } from '@portico/storage/stores/media/media.ts';
import { quarantine } from '@portico/storage/stores/media/quarantined-media.ts';

type Dependencies = { readonly db: Database; readonly now: () => number };

/** Keeps some files from everybody, as far as they are not protected; answers how many of them are new. */
export async function addToQuarantine(
  { db, now }: Dependencies,
  by: string,
  media: readonly MediaKey[],
  hold?: (set: WriteSet) => void,
): Promise<number> {
  if (media.length === 0) return 0;
  const set = createWriteSet();
  hold?.(set);
  for (const [origin, some] of Map.groupBy(media, (key) => key.origin)) {
    quarantine(set, { origin, mediaIds: [...new Set(some.map(({ mediaId }) => mediaId))] }, by, now());
  }
  const { returned } = await db.commit(set);
  return returned.reduce((sum, rows) => sum + rows.length, 0);
}
