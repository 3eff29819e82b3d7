import { readEventsByTime } from '@portico/storage/stores/events-by-time.ts';
import { readEvents } from '@portico/storage/stores/timeline.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ReadingContext } from './context.ts';

export type TimeQuery = {
  readonly roomId: string;
  /** Milliseconds. */
  readonly ts: number;
  readonly direction: 'forwards' | 'backwards';
};

const eventsPerPage = 20;
/** How many events that the person may not see are passed over. */
const maxPages = 50;

/**
 * The event that the person may see whose sender's clock was closest to a time, in one direction.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event}
 */
export async function readEventByTime(
  context: ReadingContext,
  userId: string,
  { roomId, ts, direction }: TimeQuery,
): Promise<{ readonly event_id: string; readonly origin_server_ts: number }> {
  const access = await context.access.enter(userId, roomId);
  let from = { ts, order: direction === 'forwards' ? -1 : Number.MAX_SAFE_INTEGER };
  for (let page = 0; page < maxPages; page++) {
    const places = await readEventsByTime(context.db, access.roomNid, direction, from, eventsPerPage);
    const nids = places.filter((place) => place.room_order <= access.end).map((place) => place.event_nid);
    const rows = await readEvents(context.db, nids);
    const sights = await context.visibility.judge(access.viewer, rows);
    const visible = new Map(rows.map((row) => [row.event_nid, row]));
    for (const { event_nid: nid } of places) {
      const row = sights.get(nid)?.answer === 'yes' ? visible.get(nid) : undefined;
      if (row !== undefined) return { event_id: row.event_id, origin_server_ts: row.origin_server_ts };
    }
    const last = places.at(-1);
    if (last === undefined || places.length < eventsPerPage) break;
    from = { ts: last.origin_server_ts, order: last.room_order };
  }
  throw new MatrixError('not-found', { message: `There is no event ${direction} from ${ts}.` });
}
