import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ThumbnailRow = {
  /** `null` where the original itself is what fits. */
  readonly thumbnail_id: string | null;
  readonly content_type: string;
  readonly size: number;
};

const selectThumbnail = sql<ThumbnailRow, [contentId: string, variant: string]>(
  'media-thumbnails.get',
  `select thumbnail_id, content_type, size from media_thumbnails where content_id = $1 and variant = $2`,
);

export function findThumbnail(reader: Reader, contentId: string, variant: string): Promise<ThumbnailRow | undefined> {
  return reader.get(selectThumbnail, [contentId, variant]);
}

/* What was made of media that have gone in the meantime is not kept. */
const insertThumbnail = sql<
  void,
  [contentId: string, variant: string, thumbnailId: string | null, contentType: string, size: number]
>(
  'media-thumbnails.insert',
  `insert into media_thumbnails (content_id, variant, thumbnail_id, content_type, size)
   select $1, $2, $3, $4, cast($5 as bigint) where exists (select 1 from media where content_id = $1)
   on conflict (content_id, variant) do nothing`,
);

/** Fails on the guard `media.thumbnail-unwanted` if the same one was stored meanwhile, or the original has gone. */
export function addThumbnail(set: WriteSet, contentId: string, variant: string, row: ThumbnailRow): void {
  const { thumbnail_id: id, content_type: type, size } = row;
  set.guard('media.thumbnail-unwanted', 1, insertThumbnail, [contentId, variant, id, type, size]);
}
