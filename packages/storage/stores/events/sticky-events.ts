import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** How long an event is sticky. Times are in milliseconds. */
export type Stickiness = {
  readonly durationMs: number;
  readonly until: number;
  /** When this server got it. */
  readonly at: number;
  /** Whether it is this server's own. */
  readonly isOwn: boolean;
};

/** Sticky events of one person in one room, and in one room, that people are told of at a time. What is more has to wait. */
export const maxStickyOfSender = 200;
export const maxStickyOfRoom = 5000;

const isTold = (now: string) => `o.position is not null and o.expires_at > ${now}`;

const hasPlace = (room: string, sender: string, now: string) =>
  `(select count(*) from (
      select 1 from sticky_events o where o.room_nid = ${room} and o.sender = ${sender} and ${isTold(now)}
      limit ${maxStickyOfSender}) of_sender) < ${maxStickyOfSender}
   and (select count(*) from (
      select 1 from sticky_events o where o.room_nid = ${room} and ${isTold(now)}
      limit ${maxStickyOfRoom}) of_room) < ${maxStickyOfRoom}`;

const insert = sql<
  void,
  [eventNid: number, roomNid: number, sender: string, isOwn: number, position: PositionParam, until: number, at: number]
>(
  'sticky-events.insert',
  `insert into sticky_events (event_nid, room_nid, sender, is_own, is_soft_failed, position, expires_at)
   values ($1, $2, $3, $4, 0, case when ${hasPlace('$2', '$3', '$7')} then position($5) end, $6)
   on conflict (event_nid) do update set is_soft_failed = 0, position = excluded.position`,
);

const insertSoftFailed = sql<void, [eventNid: number, roomNid: number, sender: string, until: number]>(
  'sticky-events.insert-soft-failed',
  `insert into sticky_events (event_nid, room_nid, sender, is_own, is_soft_failed, position, expires_at)
   values ($1, $2, $3, 0, 1, null, $4) on conflict do nothing`,
);

/**
 * Notes an event that is sticky for some time from now on: of which people are told from a position on, or which failed softly,
 * as long as that is so.
 */
export function addStickyEvent(
  set: WriteSet,
  { eventNid, roomNid, sender }: { readonly eventNid: number; readonly roomNid: number; readonly sender: string },
  { until, at, isOwn }: Stickiness,
  position?: PositionParam,
): void {
  if (until <= at) return;
  if (position === undefined) {
    set.add(insertSoftFailed, [eventNid, roomNid, sender, until]);
    set.change('sticky_soft_failed', roomNid);
  } else {
    set.add(insert, [eventNid, roomNid, sender, isOwn ? 1 : 0, position, until, at]);
    set.change('sticky', roomNid);
  }
}

const remove = sql<void, [eventNid: number]>('sticky-events.delete', 'delete from sticky_events where event_nid = $1');

/** An event is sticky no more. */
export function endStickiness(set: WriteSet, eventNid: number): void {
  set.add(remove, [eventNid]);
}

const removeExpired = sql<void, [now: number, limit: number]>(
  'sticky-events.delete-expired',
  `delete from sticky_events where event_nid in (
     select event_nid from sticky_events where expires_at <= $1 and is_soft_failed = 0 order by expires_at limit $2)`,
);

/** Those that were let in. */
export function dropExpiredStickyEvents(set: WriteSet, now: number, limit: number): void {
  set.add(removeExpired, [now, limit]);
}

/** An event that failed softly, and is sticky no more. */
export type EndedSoftFailedRow = {
  readonly event_nid: number;
  readonly type: string;
  readonly state_key: string | null;
  readonly before_content: string;
  readonly content: string;
  readonly after_content: string;
  readonly room_version: string;
};

const selectEndedSoftFailed = sql<EndedSoftFailedRow, [now: number, limit: number]>(
  'sticky-events.ended-soft-failed',
  `select s.event_nid, e.type, e.state_key, e.before_content, e.content, e.after_content, r.room_version
   from sticky_events s join events e on e.event_nid = s.event_nid join rooms r on r.room_nid = s.room_nid
   where s.expires_at <= $1 and s.is_soft_failed = 1 order by s.expires_at limit $2`,
);

export function readEndedSoftFailed(reader: Reader, now: number, limit: number): Promise<EndedSoftFailedRow[]> {
  return reader.all(selectEndedSoftFailed, [now, limit]);
}

/* 1 is an event that failed softly. */
const empty = sql<void, [eventNid: number, before: string, content: string, after: string]>(
  'sticky-events.empty-soft-failed',
  `update events set before_content = $2, content = $3, after_content = $4
   where event_nid = $1 and status = 1 and room_order is null`,
);

/** Leaves so much of an event that failed softly, unless it has a place meanwhile. */
export function emptySoftFailed(
  set: WriteSet,
  eventNid: number,
  left: { readonly before: string; readonly content: string; readonly after: string },
): void {
  set.add(empty, [eventNid, left.before, left.content, left.after]);
}

const selectHeld = sql<
  { event_nid: number; room_nid: number },
  [now: number, limit: number, ofSender: number, ofRoom: number]
>(
  'sticky-events.held',
  `with held as materialized (
     select s.event_nid, s.room_nid, s.sender,
       row_number() over (partition by s.room_nid, s.sender order by s.event_nid) as nth
     from sticky_events s where s.position is null and s.is_soft_failed = 0 and s.expires_at > $1
   ), told as materialized (
     select o.room_nid, o.sender, count(*) as count from sticky_events o
     where o.room_nid in (select room_nid from held) and ${isTold('$1')}
     group by o.room_nid, o.sender
   ), of_rooms as materialized (
     select room_nid, sum(count) as count from told group by room_nid
   ), fitting as (
     select h.event_nid, h.room_nid, row_number() over (partition by h.room_nid order by h.event_nid) as nth
     from held h left join told t on t.room_nid = h.room_nid and t.sender = h.sender
     where h.nth + coalesce(t.count, 0) <= $3
   )
   select f.event_nid, f.room_nid from fitting f left join of_rooms r on r.room_nid = f.room_nid
   where f.nth + coalesce(r.count, 0) <= $4
   order by f.room_nid, f.event_nid limit $2`,
);

/** Events that had to wait, and for which there is a place now. Looks at all that wait, and at what is told of in their rooms. */
export function readStickyToRelease(
  reader: Reader,
  now: number,
  limit: number,
  { ofSender, ofRoom } = { ofSender: maxStickyOfSender, ofRoom: maxStickyOfRoom },
) {
  return reader.all(selectHeld, [now, limit, ofSender, ofRoom]);
}

const release = sql<void, [eventNid: number, position: PositionParam]>(
  'sticky-events.release',
  'update sticky_events set position = position($2) where event_nid = $1 and position is null and is_soft_failed = 0',
);

export function releaseStickyEvent(
  set: WriteSet,
  event: { readonly event_nid: number; readonly room_nid: number },
  position: PositionParam,
): void {
  set.add(release, [event.event_nid, position]);
  set.change('sticky', event.room_nid);
}

const selectSomeOf = sql<{ expires_at: number }, [roomNid: number, sender: string, now: number, limit: number]>(
  'sticky-events.of-sender',
  `select expires_at from sticky_events where room_nid = $1 and sender = $2 and expires_at > $3
   order by expires_at limit $4`,
);

/** When those of a person in a room end that have not yet: the first `limit` of them, the soonest first. */
export async function readStickyEnds(
  reader: Reader,
  roomNid: number,
  sender: string,
  now: number,
  limit: number,
): Promise<readonly number[]> {
  return (await reader.all(selectSomeOf, [roomNid, sender, now, limit])).map((row) => row.expires_at);
}

const selectSoonest = sql<{ expires_at: number | null }>(
  'sticky-events.soonest',
  'select min(expires_at) as expires_at from sticky_events',
);

/** When the first of all sticky events ends, or did. */
export async function readStickyEndsSoonest(reader: Reader): Promise<number | undefined> {
  return (await reader.get(selectSoonest, []))?.expires_at ?? undefined;
}
