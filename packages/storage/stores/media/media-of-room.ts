import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** `content` is '' where nothing in it can name media. */
export type RoomMediaRow = { readonly room_order: number; readonly content: string };

const selectNaming = sql<RoomMediaRow, [roomNid: number, before: number, limit: number]>(
  'media-of-room.page',
  `select room_order,
     case when type <> 'm.room.member' and (replace(content, 'mxc://', '') <> content
       or replace(content, '"formatted_body"', '') <> content and replace(content, '&', '') <> content)
       then content else '' end as content
   from events where room_nid = $1 and room_order < $2 order by room_order desc limit $3`,
);

/**
 * The next events of a room's timeline, the newest first, with the content of those that may name media: in HTML
 * references stand for characters.
 */
export function readEventsNamingMedia(
  reader: Reader,
  roomNid: number,
  page: { readonly before: number; readonly limit: number },
): Promise<RoomMediaRow[]> {
  return reader.all(selectNaming, [roomNid, page.before, page.limit]);
}
