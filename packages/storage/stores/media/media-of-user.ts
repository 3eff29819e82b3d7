import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { dayOfReading } from './unused-media.ts';

export type UserMediaRow = {
  readonly origin: string;
  readonly media_id: string;
  readonly content_id: string | null;
  readonly content_type: string | null;
  readonly upload_name: string | null;
  readonly size: number | null;
  readonly created_at: number;
  readonly is_quarantined: number;
};

const selectOfUser = sql<UserMediaRow, [userId: string, afterCreated: number, afterId: string, limit: number]>(
  'media.of-user',
  `select origin, media_id, content_id, content_type, upload_name, size, created_at,
     (select count(*) from quarantined_media q where q.origin = media.origin and q.media_id = media.media_id)
       as is_quarantined
   from media where user_id = $1 and (created_at, media_id) > ($2, $3) order by created_at, media_id limit $4`,
);

/** What somebody has uploaded, the oldest first, after one of them. */
export function listMediaOf(
  reader: Reader,
  userId: string,
  page: { readonly after: Pick<UserMediaRow, 'created_at' | 'media_id'> | undefined; readonly limit: number },
): Promise<UserMediaRow[]> {
  const { created_at: created, media_id: id } = page.after ?? { created_at: -1, media_id: '' };
  return reader.all(selectOfUser, [userId, created, id, page.limit]);
}

export type UploadRow = {
  readonly media_id: string;
  readonly content_type: string | null;
  readonly size: number;
  readonly created_at: number;
  /** The beginning of the day on which it was read last. */
  readonly last_read_at: number | null;
  readonly is_protected: number;
  readonly quarantined_by: string | null;
};

const selectUploads = sql<UploadRow, [userId: string, limit: number]>(
  'media.uploads-of',
  `select m.media_id, m.content_type, coalesce(m.size, 0) as size, m.created_at, m.is_protected, q.quarantined_by,
     m.last_read_day * ${dayOfReading} as last_read_at
   from media m left join quarantined_media q on q.origin = m.origin and q.media_id = m.media_id
   where m.user_id = $1 and m.content_id is not null order by m.created_at desc limit $2`,
);

/** What somebody has uploaded and is stored, the newest first. */
export function listUploadsOf(reader: Reader, userId: string, limit: number): Promise<UploadRow[]> {
  return reader.all(selectUploads, [userId, limit]);
}

const selectThumbnails = sql<{ thumbnail_id: string }, [contentIds: string]>(
  'media-thumbnails.of-contents',
  `select thumbnail_id from media_thumbnails
   where thumbnail_id is not null and content_id in (select value from json_each(cast($1 as text)))`,
);

/** The contents of the thumbnails that were made of others. */
export async function listThumbnailsOf(reader: Reader, contentIds: readonly string[]): Promise<string[]> {
  return (await reader.all(selectThumbnails, [JSON.stringify(contentIds)])).map((row) => row.thumbnail_id);
}

const deleteMedia = sql<void, [origin: string, mediaIds: string]>(
  'media.delete',
  'delete from media where origin = $1 and media_id in (select value from json_each(cast($2 as text)))',
);
const deleteThumbnails = sql<void, [contentIds: string]>(
  'media-thumbnails.delete-of',
  'delete from media_thumbnails where content_id in (select value from json_each(cast($1 as text)))',
);

/** Media of one server, with what says which thumbnails there are of them. */
export function removeMedia(
  set: WriteSet,
  origin: string,
  media: readonly Pick<UserMediaRow, 'media_id' | 'content_id'>[],
): void {
  const contentIds = media.flatMap(({ content_id: id }) => (id === null ? [] : [id]));
  set.add(deleteMedia, [origin, JSON.stringify(media.map(({ media_id: id }) => id))]);
  set.add(deleteThumbnails, [JSON.stringify(contentIds)]);
}
