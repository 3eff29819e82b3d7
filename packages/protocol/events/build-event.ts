import { signText, type SigningKey } from '../crypto/ed25519.ts';
import { sha256Base64 } from '../crypto/sha256.ts';
import { encodeCanonical } from '../json/canonical.ts';
import { exceedsUtf8 } from '../json/code-points.ts';
import { JsonError } from '../json/json-error.ts';
import { maxJsonDepth } from '../json/parse-json.ts';
import type { JsonObject } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { reject, type Reject } from './decision.ts';
import { eventIdOfText } from './hashes.ts';
import { maxAuthEvents, maxDepth, maxFieldBytes, maxPduBytes, maxPrevEvents } from './limits.ts';
import type { RoomEvent } from './pdu.ts';
import { sizeOfPieces, type PduPieces } from './pieces.ts';
import { redactContent, redactionKeepsContent } from './redact.ts';
import { roomIdOfCreateEvent } from './room-event.ts';
import { stickyField } from './sticky.ts';

/** An event of our own, before hashes and signatures. */
export type NewEvent = {
  readonly type: string;
  readonly sender: string;
  /** Absent for the create event where the room ID is derived from it. */
  readonly roomId?: string | undefined;
  /** Absent on message events. */
  readonly stateKey?: string | undefined;
  readonly content: JsonObject;
  readonly originServerTs: number;
  /** One more than the greatest depth of `prevEvents`; clamped to the limit. */
  readonly depth: number;
  readonly prevEvents: readonly string[];
  readonly authEvents: readonly string[];
  /** Written to the top level where the room version wants it there; from 11 on it belongs into `content` instead. */
  readonly redacts?: string | undefined;
  /** For how many milliseconds the event is sticky, if it is. */
  readonly stickyMs?: number | undefined;
  /** Room versions 1 and 2: the ID to give to the event. */
  readonly eventId?: string | undefined;
  /** Room versions 1 and 2: reference hashes, in unpadded Base64, of the previous and auth events. */
  readonly referenceHashes?: ReadonlyMap<string, string> | undefined;
};

export type EventSigner = { readonly serverName: string; readonly key: SigningKey };

export type BuiltEvent = {
  readonly kind: 'ok';
  readonly event: RoomEvent;
  /** The PDU as it goes to other servers and into storage. */
  readonly pieces: PduPieces;
};

export type BuildRule = 'event.json' | 'event.field_too_long' | 'event.too_large' | 'event.references';

/**
 * Hashes, signs and spells out one of our events.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events}
 *
 * The canonical JSON is put together as text, in the order of its keys: `auth_events`, `content`, `depth`, `event_id`,
 * `hashes`, `msc4354_sticky`, `origin_server_ts`, `prev_events`, `redacts`, `room_id`, `sender`, `signatures`, `state_key`,
 * `type`. The content is encoded once and no object is copied, because every message that is sent passes here.
 */
export function buildEvent(
  rules: RoomVersionRules,
  draft: NewEvent,
  signer: EventSigner,
): BuiltEvent | Reject<BuildRule> {
  const fault = findFault(rules, draft);
  if (fault !== undefined) return fault;
  try {
    return build(rules, draft, signer);
  } catch (error) {
    if (error instanceof JsonError) return reject('event.json', error.message);
    throw error;
  }
}

function build(
  rules: RoomVersionRules,
  draft: NewEvent,
  { serverName, key }: EventSigner,
): BuiltEvent | Reject<BuildRule> {
  const { type, sender, roomId, stateKey, content } = draft;
  const depth = Math.min(draft.depth, maxDepth);
  const topLevelRedacts = rules.event.redacts === 'top-level' ? draft.redacts : undefined;

  const contentText = encodeCanonical(content, rules.canonicalJson, maxJsonDepth - 1);
  const before = `{"auth_events":${referencesText(rules, draft, draft.authEvents)},"content":`;
  let first = `,"depth":${depth}`;
  if (rules.event.eventId === 'explicit') first += `,"event_id":${JSON.stringify(draft.eventId)}`;
  const second = `,"origin_server_ts":${draft.originServerTs},"prev_events":${referencesText(rules, draft, draft.prevEvents)}`;
  const stickyText = draft.stickyMs === undefined ? '' : `,"${stickyField}":{"duration_ms":${draft.stickyMs}}`;
  const redactsText = topLevelRedacts === undefined ? '' : `,"redacts":${JSON.stringify(topLevelRedacts)}`;
  let third = roomId === undefined ? '' : `,"room_id":${JSON.stringify(roomId)}`;
  third += `,"sender":${JSON.stringify(sender)}`;
  const last = `${stateKey === undefined ? '' : `,"state_key":${JSON.stringify(stateKey)}`},"type":${JSON.stringify(type)}}`;

  const hash = sha256Base64(before + contentText + first + stickyText + second + redactsText + third + last);
  const hashes = `,"hashes":{"sha256":"${hash}"}`;

  // A redacted event keeps no top-level `redacts`, in any version, and is not sticky.
  const redactedContent = redactContentText(rules, draft, contentText);
  const redactedText = before + redactedContent + first + hashes + second + third + last;
  const eventId = eventIdOfText(rules, redactedText, draft.eventId);
  const signature = signText(key, redactedText);

  const signatures = `,"signatures":{${JSON.stringify(serverName)}:{${JSON.stringify(key.keyId)}:"${signature}"}}`;
  const pieces = {
    before,
    content: contentText,
    after: first + hashes + stickyText + second + redactsText + third + signatures + last,
  };
  if (sizeOfPieces(pieces) > maxPduBytes) return reject('event.too_large', 'The event is larger than 65536 bytes');
  const redacts = rules.event.redacts === 'content' ? content.redacts : topLevelRedacts;
  return {
    kind: 'ok',
    pieces,
    event: {
      eventId,
      roomId: roomId ?? roomIdOfCreateEvent(eventId),
      type,
      sender,
      stateKey,
      content,
      originServerTs: draft.originServerTs,
      depth,
      prevEvents: draft.prevEvents,
      authEvents: draft.authEvents,
      redacts: type === 'm.room.redaction' && typeof redacts === 'string' ? redacts : undefined,
      rejected: false,
      ...(draft.stickyMs !== undefined && { stickyMs: draft.stickyMs }),
    },
  };
}

function redactContentText(rules: RoomVersionRules, { type, content }: NewEvent, contentText: string): string {
  if (!redactionKeepsContent(rules, type)) return '{}';
  const redacted = redactContent(rules, type, content);
  return redacted === content ? contentText : encodeCanonical(redacted, rules.canonicalJson, maxJsonDepth - 1);
}

function referencesText(rules: RoomVersionRules, draft: NewEvent, ids: readonly string[]): string {
  if (rules.event.references === 'ids') return JSON.stringify(ids);
  return JSON.stringify(ids.map((id) => [id, { sha256: draft.referenceHashes?.get(id) }]));
}

function findFault(rules: RoomVersionRules, draft: NewEvent): Reject<BuildRule> | undefined {
  for (const text of [draft.type, draft.stateKey, draft.sender, draft.roomId, draft.eventId]) {
    if (text !== undefined && exceedsUtf8(text, maxFieldBytes)) {
      return reject('event.field_too_long', 'type, state_key, sender, room_id and event_id have at most 255 bytes');
    }
    if (text !== undefined && !text.isWellFormed())
      return reject('event.json', new JsonError('lone-surrogate').message);
  }
  if (draft.prevEvents.length > maxPrevEvents || draft.authEvents.length > maxAuthEvents) {
    return reject('event.references', 'An event has at most 20 previous events and 10 auth events');
  }
  if (rules.event.eventId === 'explicit' && draft.eventId === undefined) {
    return reject('event.references', 'Events of this room version need an ID');
  }
  if (
    rules.event.references === 'pairs' &&
    ![...draft.prevEvents, ...draft.authEvents].every((id) => draft.referenceHashes?.has(id))
  ) {
    return reject('event.references', 'Events of this room version need the reference hashes of the events they name');
  }
  return undefined;
}
