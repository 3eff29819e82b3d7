import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  listMediaOf,
  listThumbnailsOf,
  removeMedia,
  type UserMediaRow,
} from '@portico/storage/stores/media/media-of-user.ts';
import type { ContentStore } from './content-store.ts';

type Dependencies = { readonly db: Database; readonly store: Pick<ContentStore, 'delete'> };

/** Removes some of what a person has uploaded, with its thumbnails, and answers how much; 0 once there is nothing left. */
export type RemoveMediaOf = (userId: string, hold: (set: WriteSet) => void) => Promise<number>;

type Removed = Pick<UserMediaRow, 'origin' | 'media_id' | 'content_id'>;

const atOnce = 100;

/**
 * Removes media with their thumbnails. The rows go first, so that nobody is given a file that is half gone; a file that
 * stays behind is swept away later.
 */
export async function removeFiles(
  { db, store }: Dependencies,
  media: readonly Removed[],
  hold?: (set: WriteSet) => void,
): Promise<void> {
  const contentIds = media.flatMap(({ content_id: id }) => (id === null ? [] : [id]));
  const thumbnails = await listThumbnailsOf(db, contentIds);
  const set = createWriteSet();
  hold?.(set);
  for (const [origin, some] of Map.groupBy(media, (row) => row.origin)) removeMedia(set, origin, some);
  await db.commit(set);
  for (const contentId of [...contentIds, ...thumbnails]) await store.delete(contentId);
}

export function createRemoveMedia({ db, store }: Dependencies): RemoveMediaOf {
  return async (userId, hold) => {
    const media = await listMediaOf(db, userId, { after: undefined, limit: atOnce });
    if (media.length > 0) await removeFiles({ db, store }, media, hold);
    return media.length;
  };
}
