import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { contentParams, type ContentParams, type MediaContent, type MediaKey } from './media.ts';

const insertRemote = sql<void, [origin: string, mediaId: string, now: number, ...ContentParams]>(
  'remote-media.insert',
  `insert into media (origin, media_id, created_at, read_at, content_id, content_type, upload_name, size)
   values ($1, $2, $3, $3, $4, $5, $6, $7) on conflict do nothing`,
);

const touch = sql<void, [origin: string, mediaId: string, now: number]>(
  'remote-media.touch',
  'update media set read_at = $3 where origin = $1 and media_id = $2 and read_at < $3',
);

const selectSize = sql<{ size: number }>(
  'remote-media.size',
  'select cast(coalesce(sum(size), 0) as bigint) as size from media where read_at is not null',
);

export type UnreadMediaRow = MediaKeyRow & {
  readonly content_id: string;
  readonly size: number;
  readonly read_at: number;
};
type MediaKeyRow = { readonly origin: string; readonly media_id: string };

const selectUnread = sql<UnreadMediaRow, [limit: number]>(
  'remote-media.longest-unread',
  `select origin, media_id, content_id, size, read_at from media where read_at is not null
   order by read_at, origin, media_id limit $1`,
);

const deleteUnread = sql<void, [origin: string, mediaId: string, readAt: number]>(
  'remote-media.delete',
  'delete from media where origin = $1 and media_id = $2 and read_at = $3',
);

const selectThumbnails = sql<{ thumbnail_id: string }, [contentIds: string]>(
  'remote-media.thumbnails',
  `select thumbnail_id from media_thumbnails
   where content_id in (select value from json_each(cast($1 as text))) and thumbnail_id is not null`,
);

const deleteThumbnails = sql<void, [contentId: string]>(
  'remote-media.delete-thumbnails',
  'delete from media_thumbnails where content_id = $1',
);

/** Fails on the guard `media.fetched` if another process was faster. */
export function addRemoteMedia(set: WriteSet, { origin, mediaId }: MediaKey, content: MediaContent, now: number): void {
  set.guard('media.fetched', 1, insertRemote, [origin, mediaId, now, ...contentParams(content)]);
}

export function touchRemoteMedia(set: WriteSet, { origin, mediaId }: MediaKey, now: number): void {
  set.add(touch, [origin, mediaId, now]);
}

/** Bytes of all that is kept of other servers' media, without thumbnails. */
export async function readRemoteMediaSize(reader: Reader): Promise<number> {
  return (await reader.get(selectSize, []))?.size ?? 0;
}

export function readLongestUnread(reader: Reader, limit: number): Promise<UnreadMediaRow[]> {
  return reader.all(selectUnread, [limit]);
}

/** The contents of the thumbnails that were made of some contents. */
export async function readThumbnailsOf(reader: Reader, contentIds: readonly string[]): Promise<string[]> {
  const rows = await reader.all(selectThumbnails, [JSON.stringify(contentIds)]);
  return rows.map((row) => row.thumbnail_id);
}

/** Fails on the guard `media.read-again` if somebody has read it meanwhile. */
export function removeRemoteMedia(set: WriteSet, row: UnreadMediaRow): void {
  set.guard('media.read-again', 1, deleteUnread, [row.origin, row.media_id, row.read_at]);
  set.add(deleteThumbnails, [row.content_id]);
}
