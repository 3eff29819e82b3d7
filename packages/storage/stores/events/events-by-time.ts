import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type TimedEventRow = {
  readonly event_nid: number;
  readonly origin_server_ts: number;
  readonly room_order: number;
};

type Params = [roomNid: number, ts: number, order: number, limit: number];

const selectLater = sql<TimedEventRow, Params>(
  'events-by-time.later',
  `select event_nid, origin_server_ts, room_order from events
   where room_nid = $1 and room_order is not null and (origin_server_ts, room_order) > ($2, $3)
   order by origin_server_ts, room_order limit $4`,
);

const selectEarlier = sql<TimedEventRow, Params>(
  'events-by-time.earlier',
  `select event_nid, origin_server_ts, room_order from events
   where room_nid = $1 and room_order is not null and (origin_server_ts, room_order) < ($2, $3)
   order by origin_server_ts desc, room_order desc limit $4`,
);

/** No event says that it is from beyond these. */
const latest = Number.MAX_SAFE_INTEGER;

/** A room's events by what their senders' clocks said, onwards from one place in that order. */
export function readEventsByTime(
  reader: Reader,
  roomNid: number,
  direction: 'forwards' | 'backwards',
  from: { readonly ts: number; readonly order: number },
  limit: number,
): Promise<TimedEventRow[]> {
  const ts = Math.min(Math.max(from.ts, -latest), latest);
  return reader.all(direction === 'forwards' ? selectLater : selectEarlier, [roomNid, ts, from.order, limit]);
}
