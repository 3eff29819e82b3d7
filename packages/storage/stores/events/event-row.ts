/**
 * What became of an event. Rejected events are kept so that events which name them can be judged; outliers are known but
 * have no place in the room's order.
 */
export const eventStatus = { accepted: 0, softFailed: 1, rejected: 2, outlier: 3 } as const;
export type EventStatus = (typeof eventStatus)[keyof typeof eventStatus];

/** A stored event: the three pieces of its canonical JSON, and what was taken out of them for reading and for order. */
export type EventRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly room_nid: number;
  readonly status: EventStatus;
  readonly stream_position: number | null;
  readonly room_order: number | null;
  readonly type: string;
  readonly state_key: string | null;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly depth: number;
  readonly before_content: string;
  readonly content: string;
  readonly after_content: string;
  /** Root node of the room's state before the event, and after it where that differs (state events). */
  readonly state_before: number | null;
  readonly state_after: number | null;
  /** Root node of the room's own state once the event was in it, where other branches made that another one still. */
  readonly head_state: number | null;
  /** The state event that this one replaced. */
  readonly replaces_nid: number | null;
  /** The redaction that was applied to it; the pieces are then already those of the redacted event. */
  readonly redacted_by: number | null;
  /** The root of the thread it belongs to. */
  readonly thread_nid: number | null;
  readonly ordinal: number | null;
  readonly chain_id: number | null;
  readonly chain_seq: number | null;
  /** Of a state event: the power levels among its auth events. The mainline of a room is a chain of these. */
  readonly power_levels_nid: number | null;
  /** The device and transaction ID that sent it, for `unsigned.transaction_id` and idempotence. */
  readonly sender_device: string | null;
  readonly txn_id: string | null;
};

/** Slots between one stream position and the next, in a room's order. */
export const ORDER_PER_POSITION = 2 ** 20;
