import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type MediaRow = {
  readonly user_id: string | null;
  readonly content_id: string | null;
  readonly content_type: string | null;
  readonly upload_name: string | null;
  readonly size: number | null;
  readonly unused_expires_at: number | null;
  /** When somebody read it last; null on this server's own. */
  readonly read_at: number | null;
  /** The day, counted from 1970, on which this server's own was read last. */
  readonly last_read_day: number | null;
};

/** Where media are: the parts of an `mxc://` URI. */
export type MediaKey = { readonly origin: string; readonly mediaId: string };

export type MediaContent = {
  readonly contentId: string;
  readonly contentType: string;
  readonly name: string | undefined;
  readonly size: number;
};

const selectMedia = sql<MediaRow, [origin: string, mediaId: string]>(
  'media.get',
  `select user_id, content_id, content_type, upload_name, size, unused_expires_at, read_at, last_read_day from media
   where origin = $1 and media_id = $2`,
);

export function findMedia(reader: Reader, { origin, mediaId }: MediaKey): Promise<MediaRow | undefined> {
  return reader.get(selectMedia, [origin, mediaId]);
}

export type ContentParams = [contentId: string, contentType: string, name: string | null, size: number];

export function contentParams({ contentId, contentType, name, size }: MediaContent): ContentParams {
  return [contentId, contentType, name ?? null, size];
}

const insertMedia = sql<
  void,
  [origin: string, mediaId: string, userId: string | null, createdAt: number, ...ContentParams]
>(
  'media.insert',
  `insert into media (origin, media_id, user_id, created_at, content_id, content_type, upload_name, size)
   values ($1, $2, $3, $4, $5, $6, $7, $8)`,
);

/** Media with their content. `userId` is who uploaded them here. */
export function addMedia(
  set: WriteSet,
  { origin, mediaId }: MediaKey,
  userId: string | undefined,
  content: MediaContent,
  now: number,
): void {
  set.add(insertMedia, [origin, mediaId, userId ?? null, now, ...contentParams(content)]);
  set.change('media', mediaChangeKey({ origin, mediaId }));
}

/** The key of the change `media`, which says that content has come. */
export function mediaChangeKey({ origin, mediaId }: MediaKey): string {
  return `${origin}/${mediaId}`;
}

const deleteUnused = sql<void, [now: number]>(
  'media.delete-unused',
  'delete from media where content_id is null and unused_expires_at <= $1',
);
const insertPlace = sql<
  void,
  [origin: string, mediaId: string, userId: string, now: number, expiresAt: number, mostUnused: number]
>(
  'media.insert-place',
  `insert into media (origin, media_id, user_id, created_at, unused_expires_at)
   select $1, $2, $3, cast($4 as bigint), cast($5 as bigint)
   where (select count(*) from media
          where content_id is null and user_id = $3 and unused_expires_at > cast($4 as bigint)) < cast($6 as bigint)`,
);

/** Fails on the guard `media.too-many-pending` if the user has that many places. Clears away places that have expired. */
export function addMediaPlace(
  set: WriteSet,
  { origin, mediaId }: MediaKey,
  place: { readonly userId: string; readonly now: number; readonly expiresAt: number; readonly mostUnused: number },
): void {
  const { userId, now, expiresAt, mostUnused } = place;
  set.add(deleteUnused, [now]);
  set.guard('media.too-many-pending', 1, insertPlace, [origin, mediaId, userId, now, expiresAt, mostUnused]);
}

const fillPlace = sql<void, [origin: string, mediaId: string, userId: string, now: number, ...ContentParams]>(
  'media.fill-place',
  `update media set content_id = $5, content_type = $6, upload_name = $7, size = $8,
     unused_expires_at = null
   where origin = $1 and media_id = $2 and user_id = $3 and content_id is null and unused_expires_at > $4`,
);

/** Fails on the guard `media.already-uploaded` if the place has been filled meanwhile. */
export function fillMediaPlace(
  set: WriteSet,
  { origin, mediaId }: MediaKey,
  userId: string,
  content: MediaContent,
  now: number,
): void {
  set.guard('media.already-uploaded', 1, fillPlace, [origin, mediaId, userId, now, ...contentParams(content)]);
  set.change('media', mediaChangeKey({ origin, mediaId }));
}

const selectUsed = sql<{ content_id: string }, [contentIds: string]>(
  'media.used-contents',
  `select content_id from media where content_id in (select value from json_each(cast($1 as text)))
   union all
   select thumbnail_id as content_id from media_thumbnails
   where thumbnail_id in (select value from json_each(cast($1 as text)))`,
);

/** Which of these contents some row stands for. */
export async function findUsedContents(reader: Reader, contentIds: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await reader.all(selectUsed, [JSON.stringify(contentIds)]);
  return new Set(rows.map((row) => row.content_id));
}
