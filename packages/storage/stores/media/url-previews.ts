import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { contentParams, type ContentParams, type MediaContent, type MediaKey } from './media.ts';

export type PreviewRow = {
  /** JSON text; null where the page could not be had. */
  readonly answer: string | null;
};

const selectPreview = sql<PreviewRow, [urlHash: string, now: number, origin: string]>(
  'url-previews.get',
  `select p.answer from url_previews p
   where p.url_hash = $1 and p.expires_at > $2
     and (p.media_id is null or exists (select 1 from media m where m.origin = $3 and m.media_id = p.media_id))`,
);

/** What is known of a page and has not expired. An answer whose image is gone is no answer any more. */
export function findPreview(
  reader: Reader,
  urlHash: string,
  { now, origin }: { readonly now: number; readonly origin: string },
): Promise<PreviewRow | undefined> {
  return reader.get(selectPreview, [urlHash, now, origin]);
}

const upsertPreview = sql<void, [urlHash: string, answer: string | null, mediaId: string | null, expiresAt: number]>(
  'url-previews.keep',
  `insert into url_previews (url_hash, answer, media_id, expires_at) values ($1, $2, $3, $4)
   on conflict (url_hash) do update
   set answer = excluded.answer, media_id = excluded.media_id, expires_at = excluded.expires_at`,
);

export function keepPreview(
  set: WriteSet,
  urlHash: string,
  preview: {
    readonly answer: string | undefined;
    readonly mediaId: string | undefined;
    readonly expiresAt: number;
  },
): void {
  set.add(upsertPreview, [urlHash, preview.answer ?? null, preview.mediaId ?? null, preview.expiresAt]);
}

const insertImage = sql<void, [origin: string, mediaId: string, now: number, until: number, ...content: ContentParams]>(
  'url-previews.add-image',
  `insert into media
     (origin, media_id, created_at, read_at, preview_until, content_id, content_type, upload_name, size)
   values ($1, $2, $3, $3, $4, $5, $6, $7, $8)`,
);

/** Nobody's media: part of the cache of what others have, and gone at a moment that is known. */
export function addPreviewImage(
  set: WriteSet,
  { origin, mediaId }: MediaKey,
  content: MediaContent,
  { now, until }: { readonly now: number; readonly until: number },
): void {
  set.add(insertImage, [origin, mediaId, now, until, ...contentParams(content)]);
}

export type PreviewImageRow = {
  readonly origin: string;
  readonly media_id: string;
  readonly content_id: string | null;
};

const selectOldImages = sql<PreviewImageRow, [now: number, limit: number]>(
  'url-previews.old-images',
  `select origin, media_id, content_id from media where preview_until is not null and preview_until <= $1
   order by preview_until, origin, media_id limit $2`,
);

/** Images of previews whose time is over. */
export function listOldPreviewImages(reader: Reader, now: number, limit: number): Promise<PreviewImageRow[]> {
  return reader.all(selectOldImages, [now, limit]);
}

const deleteOld = sql<void, [now: number]>(
  'url-previews.delete-old',
  'delete from url_previews where expires_at <= $1',
);

export function dropOldPreviews(set: WriteSet, now: number): void {
  set.add(deleteOld, [now]);
}
