import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { MediaKey } from './media.ts';

const selectQuarantined = sql<{ quarantined_at: number }, [origin: string, mediaId: string]>(
  'quarantined-media.get',
  'select quarantined_at from quarantined_media where origin = $1 and media_id = $2',
);

export async function isQuarantined(reader: Reader, { origin, mediaId }: MediaKey): Promise<boolean> {
  return (await reader.get(selectQuarantined, [origin, mediaId])) !== undefined;
}

const insertQuarantined = sql<
  { quarantined: number },
  [origin: string, mediaIds: string, by: string, quarantinedAt: number]
>(
  'quarantined-media.insert',
  `insert into quarantined_media (origin, media_id, quarantined_by, quarantined_at)
   select cast($1 as text), w.value, cast($3 as text), cast($4 as bigint) from json_each(cast($2 as text)) w
   where not exists (
     select 1 from media m where m.origin = cast($1 as text) and m.media_id = w.value and m.is_protected = 1)
   on conflict do nothing
   returning 1 as quarantined`,
);

/** Media of one server, without those that are protected, in the database or not; each new one is a row that comes back. */
export function quarantine(
  set: WriteSet,
  media: { readonly origin: string; readonly mediaIds: readonly string[] },
  by: string,
  at: number,
): void {
  set.returning(insertQuarantined, [media.origin, JSON.stringify(media.mediaIds), by, at]);
}

const deleteQuarantined = sql<void, [origin: string, mediaId: string]>(
  'quarantined-media.delete',
  'delete from quarantined_media where origin = $1 and media_id = $2',
);

export function release(set: WriteSet, { origin, mediaId }: MediaKey): void {
  set.add(deleteQuarantined, [origin, mediaId]);
}

const updateProtected = sql<void, [origin: string, mediaId: string, isProtected: number]>(
  'media.protect',
  'update media set is_protected = $3 where origin = $1 and media_id = $2',
);

/** Fails on the guard `media.not-found`. */
export function setProtected(set: WriteSet, { origin, mediaId }: MediaKey, isProtected: boolean): void {
  set.guard('media.not-found', 1, updateProtected, [origin, mediaId, isProtected ? 1 : 0]);
}
