import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { MediaKey } from './media.ts';

/** In milliseconds. */
export const dayOfReading = 24 * 60 * 60 * 1000;

const updateDay = sql<void, [origin: string, mediaId: string, day: number]>(
  'unused-media.note-reading',
  `update media set last_read_day = $3
   where origin = $1 and media_id = $2 and read_at is null and (last_read_day is null or last_read_day < $3)`,
);

/** Notes on which day one of this server's own files was read last. */
export function noteReading(set: WriteSet, { origin, mediaId }: MediaKey, day: number): void {
  set.add(updateDay, [origin, mediaId, day]);
}

export type UnusedMediaRow = { readonly origin: string; readonly media_id: string; readonly content_id: string };

/* Of the day on which a file was read, it is not known when: it counts as used up to its end. */
const selectUnused = sql<
  UnusedMediaRow,
  [origin: string, afterId: string, before: number, largerThan: number, limit: number]
>(
  'unused-media.page',
  `select origin, media_id, content_id from media
   where origin = $1 and media_id > $2 and content_id is not null and read_at is null and is_protected = 0
     and coalesce((last_read_day + 1) * ${dayOfReading}, created_at) < cast($3 as bigint)
     and size > cast($4 as bigint)
     and not exists (select 1 from quarantined_media q where q.origin = media.origin and q.media_id = media.media_id)
   order by media_id limit $5`,
);

/**
 * The next of a server's own files, by ID, that were last read or, if nobody has, uploaded before some moment, and have
 * more than so many bytes; without those that are protected or quarantined.
 */
export function listUnusedMedia(
  reader: Reader,
  origin: string,
  wanted: { readonly after: string; readonly before: number; readonly largerThan: number; readonly limit: number },
): Promise<UnusedMediaRow[]> {
  return reader.all(selectUnused, [origin, wanted.after, wanted.before, wanted.largerThan, wanted.limit]);
}
