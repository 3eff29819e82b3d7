import { serverNameOf } from '@portico/protocol';
import type { NewsRow, RoomHostRow } from '@portico/storage/stores/federation/federation-outgoing.ts';

/** Those events that a server is to have, and has not sent itself: of rooms it was in, and about its people's requests. */
export function newsFor(
  host: string,
  inRooms: readonly RoomHostRow[],
  ended: readonly { readonly stream_position: number }[],
  news: readonly NewsRow[],
): NewsRow[] {
  const spans = new Map(inRooms.map((row) => [row.room_nid, row]));
  const endings = new Set(ended.map(({ stream_position: position }) => position));
  return news.filter(({ room_nid: roomNid, stream_position: position, sender }) => {
    if (serverNameOf(sender) === host) return false;
    const span = spans.get(roomNid);
    const isInRoom =
      span !== undefined && position > span.since_position && position <= (span.left_position ?? Infinity);
    return isInRoom || endings.has(position);
  });
}
