import { findRoomVersion, isJsonObject, parseJson, stickyField, type JsonObject } from '@portico/protocol';
import { type EventFields, pickFields } from '@portico/protocol/sync-filter/event-fields.ts';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { delayIdOf } from './delayed-transaction.ts';

type Device = { readonly userId: string; readonly deviceId: string } | undefined;

/** How events are written for one reader. */
export type EventStyle = {
  /** Written into each event, except where the reader knows the room anyway. */
  readonly roomId: string | undefined;
  /** Milliseconds; events say how old they are. */
  readonly now: number;
  /** Whose transaction IDs are shown: those of the device's own events. */
  readonly device: Device;
  /** The reader's membership when the event was sent, if known. */
  readonly membership: string | undefined;
  /** The redactions that were applied to any of the events, by number. */
  readonly redactions: ReadonlyMap<number, ClientEventRow>;
  /** What is shown of the events that relate to any of them. */
  readonly bundles?: Bundles | undefined;
  /**
   * What people were shown of rooms that they are invited to or knock at, as JSON texts by the number of the member event:
   * for those who get it by no other way.
   */
  readonly stripped?: ReadonlyMap<number, string>;
};

/** Texts of `m.relations` by the number of the event that they belong to. */
export type Bundles = ReadonlyMap<number, string>;

export const noBundles: Bundles = new Map();

/**
 * An event as clients get it. Only redactions are parsed: everything else is put together from text.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#room-event-format}
 */
export function renderEvent(row: ClientEventRow, style: EventStyle): string {
  const isRedaction = row.type === 'm.room.redaction';
  const redacts = isRedaction ? findRedacts(row) : undefined;
  let text = `{"content":${isRedaction ? withRedacts(row.content, redacts) : row.content},"event_id":`;
  text += `${JSON.stringify(row.event_id)},"origin_server_ts":${row.origin_server_ts}`;
  if (redacts !== undefined) text += `,"redacts":${JSON.stringify(redacts)}`;
  if (row.sticky_ms !== null) text += `,"${stickyField}":{"duration_ms":${row.sticky_ms}}`;
  if (style.roomId !== undefined) text += `,"room_id":${JSON.stringify(style.roomId)}`;
  text += `,"sender":${JSON.stringify(row.sender)}`;
  if (row.state_key !== null) text += `,"state_key":${JSON.stringify(row.state_key)}`;
  return `${text},"type":${JSON.stringify(row.type)},"unsigned":${renderUnsigned(row, style)}}`;
}

function renderUnsigned(row: ClientEventRow, style: EventStyle): string {
  let text = `{"age":${Math.max(style.now - row.origin_server_ts, 0)}`;
  if (style.membership !== undefined) text += `,"membership":"${style.membership}"`;
  if (row.prev_event_id !== null) {
    text += `,"prev_content":${row.prev_content},"prev_sender":${JSON.stringify(row.prev_sender)}`;
    text += `,"replaces_state":${JSON.stringify(row.prev_event_id)}`;
  }
  const redaction = row.redacted_by === null ? undefined : style.redactions.get(row.redacted_by);
  if (redaction !== undefined) {
    // Other servers say its ID beside it.
    text += `,"redacted_by":${JSON.stringify(redaction.event_id)}`;
    text += `,"redacted_because":${renderEvent(redaction, { ...style, redactions: noRedactions })}`;
  }
  // "how many milliseconds until the sticky event expires. This provides a way to reduce clock skew"
  const left = (row.sticky_until ?? 0) - style.now;
  if (left > 0) text += `,"${stickyField}_duration_ttl_ms":${left}`;
  text += renderTransaction(row, style.device);
  const stripped = style.stripped?.get(row.event_nid);
  if (stripped !== undefined) text += `,"${isInvite(row) ? 'invite' : 'knock'}_room_state":${stripped}`;
  const bundle = style.bundles?.get(row.event_nid);
  if (bundle !== undefined) text += `,"m.relations":${bundle}`;
  return `${text}}`;
}

function renderTransaction({ txn_id: txnId, sender, sender_device: deviceId }: ClientEventRow, device: Device): string {
  if (txnId === null || sender !== device?.userId) return '';
  const delayId = delayIdOf(txnId);
  if (delayId === undefined) return deviceId === device.deviceId ? `,"transaction_id":${JSON.stringify(txnId)}` : '';
  // "if, and only if, the client being given the event […] is authenticated as the event's sender", by whichever device.
  // {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4140}
  const text = JSON.stringify(delayId);
  return `,"delay_id":${text},"org.matrix.msc4140.delay_id":${text}`;
}

function isInvite({ content }: ClientEventRow): boolean {
  return parseObject(content)?.['membership'] === 'invite';
}

export const noRedactions: ReadonlyMap<number, ClientEventRow> = new Map();

/**
 * What a redaction redacts: from room version 11 on its content says so, before that the top of the event, which no column
 * has. Whatever else calls itself so in the other place was never checked.
 */
function findRedacts({
  content,
  redaction_fields: rest,
  redaction_version: version,
}: ClientEventRow): string | undefined {
  const isInContent = findRoomVersion(version ?? '')?.event.redacts === 'content';
  const top = rest?.startsWith(',') === true ? `{${rest.slice(1)}` : '{}';
  const redacts = parseObject(isInContent ? content : top)?.['redacts'];
  return typeof redacts === 'string' ? redacts : undefined;
}

/**
 * > For backwards-compatibility with older clients, servers should add a `redacts` property to the top level […] for
 * > forwards-compatibility, […] to the `content`
 *
 * Clients take either: the two say the same, or neither says anything.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#redactions}
 */
function withRedacts(content: string, redacts: string | undefined): string {
  const value = parseObject(content);
  if (value === undefined || value['redacts'] === redacts) return content;
  const { redacts: _, ...rest } = value;
  return JSON.stringify(redacts === undefined ? rest : { ...rest, redacts });
}

function parseObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isJsonObject(value) ? value : undefined;
}

/** The text of an event with nothing left but some of its fields. */
export function pickEventFields(text: string, fields: EventFields): string {
  const event = parseObject(text);
  return event === undefined ? text : JSON.stringify(pickFields(event, fields));
}
