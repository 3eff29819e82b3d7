import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/**
 * A place in the order in which somebody is told of sticky events: by when they could first be told, which for what was there
 * before they joined is when they joined.
 */
export type StickyPlace = { readonly since: number; readonly position: number; readonly eventNid: number };

export type StickyRow = {
  readonly event_nid: number;
  readonly room_nid: number;
  readonly since: number;
  readonly position: number;
};

const selectNews = sql<
  StickyRow,
  [
    userId: string,
    roomNids: string,
    since: number,
    position: number,
    eventNid: number,
    upTo: number,
    now: number,
    ignored: string,
    limit: number,
  ]
>(
  'sticky-events.news',
  `with joins as materialized (
     select room_nid, max(position) as position from membership_changes
     where user_id = $1 and position >= $3 and position <= $6 and membership = 'join' and previous <> 'join'
     group by room_nid
   ), found as (
     select s.event_nid, s.room_nid, s.position,
       case when j.position > s.position then j.position else s.position end as since
     from sticky_events s
     left join joins j on j.room_nid = s.room_nid
     where s.room_nid in (select cast(value as bigint) from json_each(cast($2 as text)))
       and s.position <= $6 and s.expires_at > $7 and s.is_soft_failed = 0
       and s.sender not in (select value from json_each(cast($8 as text)))
   )
   select event_nid, room_nid, since, position from found
   where (since, position, event_nid) > (cast($3 as bigint), cast($4 as bigint), cast($5 as bigint))
   order by since, position, event_nid limit $9`,
);

/** The sticky events of some rooms that somebody who is joined to them has not been told of yet, in the order of their places. */
export function readStickyNews(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
  range: {
    readonly after: StickyPlace;
    readonly upTo: number;
    readonly now: number;
    readonly ignored: ReadonlySet<string>;
    readonly limit: number;
  },
): Promise<StickyRow[]> {
  const { after, upTo, now, ignored, limit } = range;
  return reader.all(selectNews, [
    userId,
    JSON.stringify(roomNids),
    after.since,
    after.position,
    after.eventNid,
    upTo,
    now,
    JSON.stringify([...ignored]),
    limit,
  ]);
}

export type SoftFailedRow = { readonly event_nid: number; readonly sender: string; readonly pdu: string };

const selectSoftFailed = sql<SoftFailedRow, [roomNid: number, after: number, now: number, limit: number]>(
  'sticky-events.soft-failed',
  `select s.event_nid, s.sender, e.before_content || e.content || e.after_content as pdu
   from sticky_events s join events e on e.event_nid = s.event_nid
   where s.room_nid = $1 and s.position is null and s.event_nid > $2 and s.is_soft_failed = 1 and s.expires_at > $3
   order by s.event_nid limit $4`,
);

/** Sticky events of a room that failed softly and have not ended. */
export function readSoftFailedSticky(
  reader: Reader,
  roomNid: number,
  { after, now, limit }: { readonly after: number; readonly now: number; readonly limit: number },
): Promise<SoftFailedRow[]> {
  return reader.all(selectSoftFailed, [roomNid, after, now, limit]);
}

const selectSoftFailedRooms = sql<{ room_nid: number }, [now: number]>(
  'sticky-events.soft-failed-rooms',
  'select distinct room_nid from sticky_events where position is null and is_soft_failed = 1 and expires_at > $1',
);

export async function readRoomsWithSoftFailedSticky(reader: Reader, now: number): Promise<readonly number[]> {
  return (await reader.all(selectSoftFailedRooms, [now])).map((row) => row.room_nid);
}
