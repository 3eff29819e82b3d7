import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A server that has come into a room, and has been sent this server's sticky events from before that up to one of them. */
export type StickyArrivalRow = {
  readonly host: string;
  readonly room_nid: number;
  readonly position: number;
  readonly after_nid: number;
};

const insertArrival = sql<void, [host: string, roomNid: number, position: PositionParam]>(
  'sticky-arrivals.insert',
  `insert into sticky_arrivals (host, room_nid, position, after_nid)
   select h.host, h.room_nid, h.since_position, -1 from joined_hosts h
   where h.room_nid = $2 and h.host = $1 and h.since_position = position($3)
     and exists (select 1 from sticky_events s where s.room_nid = h.room_nid and s.is_own = 1)
   on conflict (host, room_nid) do update set position = excluded.position, after_nid = excluded.after_nid`,
);

/** Notes that a server has come into a room, if it has and there is something to send it. */
export function noteStickyArrival(set: WriteSet, host: string, roomNid: number, position: PositionParam): void {
  set.add(insertArrival, [host, roomNid, position]);
  set.change('sticky_arrival', roomNid);
}

const selectArrivals = sql<StickyArrivalRow, [limit: number]>(
  'sticky-arrivals.first',
  'select host, room_nid, position, after_nid from sticky_arrivals order by position limit $1',
);

export function readStickyArrivals(reader: Reader, limit: number): Promise<StickyArrivalRow[]> {
  return reader.all(selectArrivals, [limit]);
}

const selectUndelivered = sql<
  { event_nid: number },
  [host: string, roomNid: number, position: number, afterNid: number, now: number, limit: number]
>(
  'sticky-arrivals.undelivered',
  `select s.event_nid from sticky_events s join events e on e.event_nid = s.event_nid
   where s.room_nid = $2 and s.event_nid > $4 and s.is_own = 1 and s.expires_at > $5 and e.stream_position <= $3
     and exists (select 1 from joined_hosts h where h.room_nid = $2 and h.host = $1 and h.joined > 0)
   order by s.event_nid limit $6`,
);

/** This server's sticky events that a server which has come into their room is still to be sent, if it is still there. */
export async function readUndeliveredSticky(
  reader: Reader,
  { host, room_nid: roomNid, position, after_nid: after }: StickyArrivalRow,
  now: number,
  limit: number,
): Promise<readonly number[]> {
  const rows = await reader.all(selectUndelivered, [host, roomNid, position, after, now, limit]);
  return rows.map((row) => row.event_nid);
}

const insertDelivery = sql<void, [host: string, position: PositionParam, roomNid: number, eventNid: number]>(
  'sticky-deliveries.insert',
  'insert into sticky_deliveries (host, position, room_nid, event_nid) values ($1, position($2), $3, $4)',
);

const moveArrival = sql<void, [host: string, roomNid: number, position: number, before: number, after: number]>(
  'sticky-arrivals.move',
  `update sticky_arrivals set after_nid = $5
   where host = $1 and room_nid = $2 and position = $3 and after_nid = $4`,
);

const removeArrival = sql<void, [host: string, roomNid: number, position: number, before: number]>(
  'sticky-arrivals.delete',
  'delete from sticky_arrivals where host = $1 and room_nid = $2 and position = $3 and after_nid = $4',
);

/**
 * Has events sent to a server, each under a position of its own, so that it takes them in any portions. `isLast`: there are no
 * more for it. Fails on the guard `sticky.arrival` where another process does it.
 */
export function deliverSticky(
  set: WriteSet,
  { host, room_nid: roomNid, position, after_nid: before }: StickyArrivalRow,
  eventNids: readonly number[],
  isLast: boolean,
): void {
  const last = eventNids.at(-1);
  if (isLast || last === undefined) set.guard('sticky.arrival', 1, removeArrival, [host, roomNid, position, before]);
  else set.guard('sticky.arrival', 1, moveArrival, [host, roomNid, position, before, last]);
  for (const eventNid of eventNids) set.add(insertDelivery, [host, set.takePosition(), roomNid, eventNid]);
  if (eventNids.length > 0) set.change('sticky_delivery', host);
}

const removeDelivered = sql<void, [limit: number]>(
  'sticky-deliveries.delete',
  `delete from sticky_deliveries where (host, position) in (
     select d.host, d.position from sticky_deliveries d
     join federation_destinations f on f.host = d.host and f.position >= d.position limit $1)`,
);

/** Forgets what has arrived. */
export function dropDeliveredSticky(set: WriteSet, limit: number): void {
  set.add(removeDelivered, [limit]);
}

const selectAny = sql<{ host: string }>('sticky-deliveries.any', 'select host from sticky_deliveries limit 1');

export async function hasStickyDeliveries(reader: Reader): Promise<boolean> {
  return (await reader.get(selectAny, [])) !== undefined;
}
