import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { EventStatus } from './event-row.ts';
import { type NewEvent, wholeOf } from './events-write.ts';
import { addStickyEvent, endStickiness } from './sticky-events.ts';

/** An event behind a gap in its room's timeline. */
export type GapRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly sender: string;
  readonly room_order: number;
  readonly origin_server_ts: number;
  readonly depth: number;
  readonly state_before: number;
  /** A JSON list of event IDs. */
  readonly missing_before: string;
  /** The place of the event in front of the gap; -1 where there is none. */
  readonly lower_order: number;
  /** How many events had counted as unread there. */
  readonly lower_ordinal: number;
};

const gapColumns = `e.event_nid, e.event_id, e.sender, e.room_order, e.origin_server_ts, e.depth, e.state_before, e.missing_before,
  coalesce((select max(l.room_order) from events l where l.room_nid = e.room_nid and l.room_order < e.room_order), -1)
    as lower_order,
  coalesce((select l.ordinal from events l where l.room_nid = e.room_nid and l.room_order < e.room_order
    order by l.room_order desc limit 1), 0) as lower_ordinal`;

const selectGap = sql<GapRow, [roomNid: number, order: number]>(
  'history.gap',
  `select ${gapColumns} from events e where e.room_nid = $1 and e.room_order = $2 and e.missing_before is not null`,
);

const selectGaps = sql<GapRow, [roomNid: number, limit: number]>(
  'history.gaps',
  `select ${gapColumns} from events e where e.room_nid = $1 and e.missing_before is not null
   order by e.room_order desc limit $2`,
);

const selectBehind = sql<{ room_order: number; missing_before: string | null }, [roomNid: number, order: number]>(
  'history.behind',
  `select room_order, missing_before from events where room_nid = $1 and room_order > $2 order by room_order limit 1`,
);

export type HistoryEventRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly room_nid: number;
  readonly status: EventStatus;
  readonly room_order: number | null;
  readonly type: string;
  readonly state_key: string | null;
  /** 1 where a redaction has been applied to it. */
  readonly is_redacted: number;
};

const selectEvents = sql<HistoryEventRow, [eventIds: string]>(
  'history.events',
  `select event_nid, event_id, room_nid, status, room_order, type, state_key,
     case when redacted_by is null then 0 else 1 end as is_redacted
   from events
   where event_id in (select value from json_each(cast($1 as text)))`,
);

const selectKeys = sql<{ event_nid: number; type: string; state_key: string }, [nids: string]>(
  'history.state-keys',
  `select event_nid, type, state_key from events
   where event_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and state_key is not null`,
);

const moveGap = sql<void, [eventNid: number, missing: string | null, before: string]>(
  'history.move-gap',
  'update events set missing_before = $2 where event_nid = $1 and missing_before = $3',
);

const insertEvent = sql<
  void,
  [
    eventNid: number,
    eventId: string,
    roomNid: number,
    order: number,
    type: string,
    stateKey: string | null,
    sender: string,
    originServerTs: number,
    depth: number,
    before: string,
    content: string,
    after: string,
    stateBefore: number | null,
    stateAfter: number | null,
    replacesNid: number | null,
    ordinal: number,
    missingBefore: string | null,
    stickyMs: number | null,
    stickyUntil: number | null,
  ]
>(
  'history.insert',
  `insert into events (event_nid, event_id, room_nid, status, room_order, type, state_key, sender, origin_server_ts, depth,
     before_content, content, after_content, state_before, state_after, replaces_nid, ordinal, missing_before, sticky_ms, sticky_until)
   values ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
   on conflict do nothing`,
);

const placeEvent = sql<
  void,
  [
    eventNid: number,
    order: number,
    stateBefore: number | null,
    stateAfter: number | null,
    replacesNid: number | null,
    ordinal: number,
    missingBefore: string | null,
    stickyMs: number | null,
    stickyUntil: number | null,
    isRedacted: number,
    before: string | null,
    content: string | null,
    after: string | null,
  ]
>(
  'history.place',
  `update events set status = 0, room_order = $2, state_before = $3, state_after = $4, replaces_nid = $5, ordinal = $6,
     missing_before = $7, sticky_ms = $8, sticky_until = $9, before_content = coalesce($11, before_content),
     content = coalesce($12, content), after_content = coalesce($13, after_content)
   where event_nid = $1 and status = 3 and room_order is null
     and case when redacted_by is null then 0 else 1 end = $10`,
);

/* 1 is an event that failed softly when it came. */
const releaseEvent = sql<void, [eventNid: number, order: number, ordinal: number]>(
  'history.release',
  `update events set status = 0, room_order = $2, ordinal = $3, sticky_ms = null, sticky_until = null
   where event_nid = $1 and status = 1 and room_order is null`,
);

/** Gives an event that failed softly a place of its own after all. Fails on the guard `history.placed` if it has one. */
export function releaseHistoryEvent(set: WriteSet, eventNid: number, order: number, ordinal: number): void {
  endStickiness(set, eventNid);
  set.guard('history.placed', 1, releaseEvent, [eventNid, order, ordinal]);
}

/** The gap in front of the event at a place. */
export function findGap(reader: Reader, roomNid: number, order: number): Promise<GapRow | undefined> {
  return reader.get(selectGap, [roomNid, order]);
}

/** The gaps of a room, the latest first. */
export function readGaps(reader: Reader, roomNid: number, limit: number): Promise<GapRow[]> {
  return reader.all(selectGaps, [roomNid, limit]);
}

/** The place of the event behind a place, if there is a gap between the two. */
export async function findGapBehind(reader: Reader, roomNid: number, order: number): Promise<number | undefined> {
  const row = await reader.get(selectBehind, [roomNid, Math.min(order, Number.MAX_SAFE_INTEGER)]);
  return row === undefined || row.missing_before === null ? undefined : row.room_order;
}

/** In no particular order. */
export async function readHistoryEvents(reader: Reader, eventIds: readonly string[]): Promise<HistoryEventRow[]> {
  return eventIds.length === 0 ? [] : reader.all(selectEvents, [JSON.stringify(eventIds)]);
}

export async function readStateKeys(reader: Reader, nids: readonly number[]) {
  return nids.length === 0 ? [] : reader.all(selectKeys, [JSON.stringify(nids)]);
}

/** Says what is missing in front of an event now. Fails on the guard `history.gap` if that has changed meanwhile. */
export function setMissingBefore(set: WriteSet, gap: GapRow, missing: readonly string[]): void {
  const text = missing.length === 0 ? null : JSON.stringify(missing);
  set.guard('history.gap', 1, moveGap, [gap.event_nid, text, gap.missing_before]);
}

/**
 * Adds an event to a room's timeline at a place of its own. Fails on the guard `history.placed` if it has one, or was redacted
 * meanwhile.
 */
export function addHistoryEvent(set: WriteSet, event: NewEvent, order: number): void {
  const missing = event.missingBefore === undefined ? null : JSON.stringify(event.missingBefore);
  const { eventNid, stateBefore = null, stateAfter = null, replacesNid = null, ordinal, sticky } = event;
  const stickiness = [sticky?.durationMs ?? null, sticky?.until ?? null] as const;
  // It is the past of the room, and news to its people.
  if (sticky !== undefined) addStickyEvent(set, event, sticky, set.takePosition());
  if (event.isKnown === true) {
    const params = [eventNid, order, stateBefore, stateAfter, replacesNid, ordinal, missing, ...stickiness] as const;
    set.guard('history.placed', 1, placeEvent, [...params, event.isRedacted === true ? 1 : 0, ...wholeOf(event)]);
    return;
  }
  set.guard('history.placed', 1, insertEvent, [
    eventNid,
    event.eventId,
    event.roomNid,
    order,
    event.type,
    event.stateKey ?? null,
    event.sender,
    event.originServerTs,
    event.depth,
    event.before,
    event.content,
    event.after,
    stateBefore,
    stateAfter,
    replacesNid,
    ordinal,
    missing,
    ...stickiness,
  ]);
}
