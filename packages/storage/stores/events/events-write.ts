import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { type EventStatus, eventStatus } from './event-row.ts';
import { addPowerLevelsLink } from './power-levels-links.ts';
import { addStickyEvent, type Stickiness } from './sticky-events.ts';

/** An event to store, with a place at the end of its room's order. */
export type NewEvent = {
  readonly eventNid: number;
  readonly eventId: string;
  readonly roomNid: number;
  readonly status: EventStatus;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly originServerTs: number;
  readonly depth: number;
  /** The three pieces of the canonical JSON. */
  readonly before: string;
  readonly content: string;
  readonly after: string;
  /** Not known of an outlier. */
  readonly stateBefore: number | undefined;
  readonly stateAfter: number | undefined;
  /** The room's own state after the event, where that is another one than the state after the event. */
  readonly headState: number | undefined;
  readonly replacesNid: number | undefined;
  readonly threadNid: number | undefined;
  readonly ordinal: number;
  /** Of a state event: its place in the auth chains. */
  readonly chain: { readonly chain: number; readonly seq: number } | undefined;
  /** Of a state event: the power levels among its auth events. */
  readonly powerLevelsNid: number | undefined;
  /** Whose device sent it under which transaction ID. */
  readonly transaction: { readonly deviceId: string; readonly txnId: string } | undefined;
  /** Events right before it that are not in the timeline here: a gap. */
  readonly missingBefore?: readonly string[] | undefined;
  /** Whether it is stored already, as an outlier. */
  readonly isKnown?: boolean | undefined;
  /** Whether it was redacted while it was stored without a place: then this is what that has left of it. */
  readonly isRedacted?: boolean | undefined;
  /** Whether this is only what is to be kept of it: nothing of what it said. */
  readonly isEmptied?: boolean | undefined;
  /** How long the event is sticky, if it is. */
  readonly sticky?: Stickiness | undefined;
};

const insertEventOutsideTimeline = sql<
  void,
  [
    eventNid: number,
    eventId: string,
    roomNid: number,
    status: number,
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
    chainId: number | null,
    chainSeq: number | null,
    powerLevelsNid: number | null,
    stickyMs: number | null,
    stickyUntil: number | null,
  ]
>(
  'events.insert-outside-timeline',
  `insert into events (event_nid, event_id, room_nid, status, type, state_key, sender, origin_server_ts, depth,
     before_content, content, after_content, state_before, state_after, chain_id, chain_seq,
     power_levels_nid, sticky_ms, sticky_until)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
   on conflict do nothing`,
);

/* 1048576 is ORDER_PER_POSITION. */
const insertTimelineEvent = sql<
  void,
  [
    eventNid: number,
    eventId: string,
    roomNid: number,
    status: number,
    position: PositionParam,
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
    headState: number | null,
    replacesNid: number | null,
    threadNid: number | null,
    ordinal: number,
    chainId: number | null,
    chainSeq: number | null,
    powerLevelsNid: number | null,
    senderDevice: string | null,
    txnId: string | null,
    missingBefore: string | null,
    stickyMs: number | null,
    stickyUntil: number | null,
  ]
>(
  'events.insert',
  `insert into events (event_nid, event_id, room_nid, status, stream_position, room_order, type, state_key, sender,
     origin_server_ts, depth, before_content, content, after_content, state_before, state_after, head_state, replaces_nid,
     thread_nid, ordinal, chain_id, chain_seq, power_levels_nid, sender_device, txn_id, missing_before, sticky_ms, sticky_until)
   values ($1, $2, $3, $4, position($5), position($5) * 1048576, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
     $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)
   on conflict do nothing`,
);

/* 3 is an outlier, 1 an event that failed softly when it came. */
const placeKnownEvent = sql<
  void,
  [
    eventNid: number,
    status: number,
    position: PositionParam,
    stateBefore: number | null,
    stateAfter: number | null,
    headState: number | null,
    replacesNid: number | null,
    threadNid: number | null,
    ordinal: number,
    missingBefore: string | null,
    chainId: number | null,
    chainSeq: number | null,
    powerLevelsNid: number | null,
    stickyMs: number | null,
    stickyUntil: number | null,
    isRedacted: number,
    before: string | null,
    content: string | null,
    after: string | null,
  ]
>(
  'events.place-known',
  `update events set status = $2, stream_position = position($3), room_order = position($3) * 1048576, state_before = $4,
     state_after = $5, head_state = $6, replaces_nid = $7, thread_nid = $8, ordinal = $9, missing_before = $10,
     chain_id = coalesce(chain_id, $11), chain_seq = coalesce(chain_seq, $12),
     power_levels_nid = coalesce(power_levels_nid, $13), sticky_ms = $14, sticky_until = $15,
     before_content = coalesce($17, before_content), content = coalesce($18, content),
     after_content = coalesce($19, after_content)
   where event_nid = $1 and status in (1, 3) and room_order is null
     and case when redacted_by is null then 0 else 1 end = $16`,
);

const judgeKnownEvent = sql<
  void,
  [
    eventNid: number,
    status: number,
    stateBefore: number | null,
    stateAfter: number | null,
    chainId: number | null,
    chainSeq: number | null,
    powerLevelsNid: number | null,
    stickyMs: number | null,
    stickyUntil: number | null,
    before: string | null,
    content: string | null,
    after: string | null,
    isEmptied: number,
  ]
>(
  'events.judge-known',
  `update events set status = $2, state_before = $3, state_after = $4, chain_id = coalesce(chain_id, $5),
     chain_seq = coalesce(chain_seq, $6), power_levels_nid = coalesce(power_levels_nid, $7), sticky_ms = $8,
     sticky_until = $9,
     before_content = case when redacted_by is null or $13 = 1 then coalesce($10, before_content) else before_content end,
     content = case when redacted_by is null or $13 = 1 then coalesce($11, content) else content end,
     after_content = case when redacted_by is null or $13 = 1 then coalesce($12, after_content) else after_content end
   where event_nid = $1 and status in (1, 3) and room_order is null`,
);

function placeOf({ chain, powerLevelsNid }: NewEvent) {
  return [chain?.chain ?? null, chain?.seq ?? null, powerLevelsNid ?? null] as const;
}

function stickinessOf({ sticky }: NewEvent) {
  return [sticky?.durationMs ?? null, sticky?.until ?? null] as const;
}

const nothing = [null, null, null] as const;

/** What a message says, which may not have been kept when it came first. */
export function wholeOf({ stateKey, before, content, after }: NewEvent) {
  return stateKey === undefined ? ([before, content, after] as const) : nothing;
}

/**
 * Adds an event to the end of its room. Fails on the guard `event.duplicate` if it, or its transaction, is there already, or where it
 * was redacted meanwhile.
 */
export function addTimelineEvent(set: WriteSet, event: NewEvent, position: PositionParam): void {
  const missingBefore = event.missingBefore === undefined ? null : JSON.stringify(event.missingBefore);
  if (event.chain !== undefined) addPowerLevelsLink(set, event);
  if (event.sticky !== undefined) addStickyEvent(set, event, event.sticky, position);
  if (event.isKnown === true) {
    set.guard('event.duplicate', 1, placeKnownEvent, [
      event.eventNid,
      event.status,
      position,
      event.stateBefore ?? null,
      event.stateAfter ?? null,
      event.headState ?? null,
      event.replacesNid ?? null,
      event.threadNid ?? null,
      event.ordinal,
      missingBefore,
      ...placeOf(event),
      ...stickinessOf(event),
      event.isRedacted === true ? 1 : 0,
      ...wholeOf(event),
    ]);
    return;
  }
  set.guard('event.duplicate', 1, insertTimelineEvent, [
    event.eventNid,
    event.eventId,
    event.roomNid,
    event.status,
    position,
    event.type,
    event.stateKey ?? null,
    event.sender,
    event.originServerTs,
    event.depth,
    event.before,
    event.content,
    event.after,
    event.stateBefore ?? null,
    event.stateAfter ?? null,
    event.headState ?? null,
    event.replacesNid ?? null,
    event.threadNid ?? null,
    event.ordinal,
    event.chain?.chain ?? null,
    event.chain?.seq ?? null,
    event.powerLevelsNid ?? null,
    event.transaction?.deviceId ?? null,
    event.transaction?.txnId ?? null,
    missingBefore,
    ...stickinessOf(event),
  ]);
}

/** Keeps an event that has no place in its room's order: it was rejected, or soft-failed, which may turn out otherwise. */
export function addEventOutsideTimeline(set: WriteSet, event: NewEvent): void {
  if (event.chain !== undefined) addPowerLevelsLink(set, event);
  if (event.sticky !== undefined && event.status === eventStatus.softFailed) addStickyEvent(set, event, event.sticky);
  if (event.isKnown === true) {
    const { eventNid, status, stateBefore = null, stateAfter = null } = event;
    const left = event.isEmptied === true ? ([event.before, event.content, event.after] as const) : wholeOf(event);
    set.guard('event.duplicate', 1, judgeKnownEvent, [
      eventNid,
      status,
      stateBefore,
      stateAfter,
      ...placeOf(event),
      ...stickinessOf(event),
      ...left,
      event.isEmptied === true ? 1 : 0,
    ]);
    return;
  }
  set.guard('event.duplicate', 1, insertEventOutsideTimeline, [
    event.eventNid,
    event.eventId,
    event.roomNid,
    event.status,
    event.type,
    event.stateKey ?? null,
    event.sender,
    event.originServerTs,
    event.depth,
    event.before,
    event.content,
    event.after,
    event.stateBefore ?? null,
    event.stateAfter ?? null,
    event.chain?.chain ?? null,
    event.chain?.seq ?? null,
    event.powerLevelsNid ?? null,
    ...stickinessOf(event),
  ]);
}
