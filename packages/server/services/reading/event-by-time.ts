import { readEventsByTime } from '@portico/storage/stores/events/events-by-time.ts';
import { findGapBehind } from '@portico/storage/stores/events/history.ts';
import { type ClientEventRow, readEvents } from '@portico/storage/stores/events/timeline.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomAccess } from './access.ts';
import type { HistoryContext, ReadingContext } from './context.ts';
import { asSeen } from './visibility.ts';

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
  context: HistoryContext,
  userId: string,
  query: TimeQuery,
): Promise<{ readonly event_id: string; readonly origin_server_ts: number }> {
  const { roomId, ts, direction } = query;
  const access = await context.access.enter(userId, roomId);
  let found = await findHere(context, access, query);
  if (await mayBeMissing(context, access.roomNid, direction, found)) {
    // What another server knows becomes one of the events here: the closest of all is then found here.
    const closer = await context.history.findByTime({ roomNid: access.roomNid, roomId }, ts, direction);
    if (closer !== undefined) found = await findHere(context, access, query);
  }
  if (found === undefined)
    throw new MatrixError('not-found', { message: `There is no event ${direction} from ${ts}.` });
  return { event_id: found.event_id, origin_server_ts: found.origin_server_ts };
}

/** Whether an event that is not here may be closer to the time than what is here: that which is found lies at a gap. */
async function mayBeMissing(
  { db }: ReadingContext,
  roomNid: number,
  direction: TimeQuery['direction'],
  found: ClientEventRow | undefined,
): Promise<boolean> {
  if (direction === 'forwards') return typeof found?.missing_before === 'string';
  return (await findGapBehind(db, roomNid, found?.room_order ?? -1)) !== undefined;
}

async function findHere(
  context: ReadingContext,
  access: RoomAccess,
  { ts, direction }: TimeQuery,
): Promise<ClientEventRow | undefined> {
  let from = { ts, order: direction === 'forwards' ? -1 : Number.MAX_SAFE_INTEGER };
  for (let page = 0; page < maxPages; page++) {
    const places = await readEventsByTime(context.db, access.roomNid, direction, from, eventsPerPage);
    const nids = places.filter((place) => place.room_order <= access.end).map((place) => place.event_nid);
    const rows = await readEvents(context.db, nids);
    const sights = await context.visibility.judge(access.viewer, rows);
    const visible = new Map(rows.map((row) => [row.event_nid, row]));
    for (const { event_nid: nid } of places) {
      const found = visible.get(nid);
      const row = found && asSeen(found, sights.get(nid));
      if (row !== undefined) return row;
    }
    const last = places.at(-1);
    if (last === undefined || places.length < eventsPerPage) break;
    from = { ts: last.origin_server_ts, order: last.room_order };
  }
  return undefined;
}
