import { isEventId, isEventIdOf } from '../ids/event-id.ts';
import { isRoomIdOf } from '../ids/room-id.ts';
import { isUserId } from '../ids/user-id.ts';
import { exceedsUtf8 } from '../json/code-points.ts';
import { JsonError } from '../json/json-error.ts';
import { filterKeys } from '../json/object.ts';
import { parseJson } from '../json/parse-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { reject, type Reject } from './decision.ts';
import { eventIdOf } from './hashes.ts';
import { maxAuthEvents, maxFieldBytes, maxLenientInteger, maxPduBytes, maxPrevEvents } from './limits.ts';
import type { Pdu } from './pdu.ts';
import { sizeOfPieces, splitPdu, type PduPieces } from './pieces.ts';

export type PduRule =
  | 'pdu.json'
  | 'pdu.not_object'
  | 'pdu.type'
  | 'pdu.sender'
  | 'pdu.room_id'
  | 'pdu.event_id'
  | 'pdu.state_key'
  | 'pdu.content'
  | 'pdu.origin_server_ts'
  | 'pdu.depth'
  | 'pdu.prev_events'
  | 'pdu.auth_events'
  | 'pdu.hashes'
  | 'pdu.signatures'
  | 'pdu.redacts'
  | 'pdu.too_large';

export type ParsedPdu = {
  readonly kind: 'ok';
  readonly pdu: Pdu;
  readonly eventId: string;
  readonly pieces: PduPieces;
};

/**
 * A PDU from another server, with the checks of its format and nothing else.
 *
 * > Is a valid event, otherwise it is dropped. For an event to be valid, it must comply with the event format of that
 * > room version.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu}
 *
 * A value, rather than a text, must come from `parseJson` in `lenient` mode, which keeps what strict versions refuse.
 * `unsigned` is dropped: nothing vouches for it, and it counts towards no limit.
 */
export function parsePdu(rules: RoomVersionRules, input: string | JsonValue): ParsedPdu | Reject<PduRule> {
  try {
    const value = typeof input === 'string' ? parseJson(input, 'lenient') : input;
    if (!isJsonObject(value)) return reject('pdu.not_object', 'The event is not an object');
    const fault = findFault(rules, value);
    if (fault !== undefined) return fault;
    const pdu = 'unsigned' in value ? filterKeys(value, (key) => key !== 'unsigned') : value;
    const pieces = splitPdu(pdu, rules.canonicalJson);
    if (sizeOfPieces(pieces) > maxPduBytes) return reject('pdu.too_large', 'The event is larger than 65536 bytes');
    return { kind: 'ok', pdu: pdu as Pdu, eventId: eventIdOf(rules, pdu), pieces };
  } catch (error) {
    if (error instanceof JsonError) return reject('pdu.json', error.message);
    throw error;
  }
}

function findFault(rules: RoomVersionRules, pdu: JsonObject): Reject<PduRule> | undefined {
  return (
    findFaultOfIds(rules, pdu) ??
    findFaultOfNumbers(rules, pdu) ??
    findFaultOfReferences(rules, pdu, 'prev_events', maxPrevEvents) ??
    findFaultOfReferences(rules, pdu, 'auth_events', maxAuthEvents) ??
    findFaultOfObjects(rules, pdu)
  );
}

function findFaultOfIds(rules: RoomVersionRules, pdu: JsonObject): Reject<PduRule> | undefined {
  if (typeof pdu.type !== 'string') return reject('pdu.type', 'type is not a string');
  if (exceedsUtf8(pdu.type, maxFieldBytes)) return reject('pdu.type', 'type is longer than 255 bytes');
  if (typeof pdu.sender !== 'string' || !isUserId(pdu.sender)) return reject('pdu.sender', 'sender is not a user ID');
  if (pdu.state_key !== undefined) {
    if (typeof pdu.state_key !== 'string') return reject('pdu.state_key', 'state_key is not a string');
    if (exceedsUtf8(pdu.state_key, maxFieldBytes)) {
      return reject('pdu.state_key', 'state_key is longer than 255 bytes');
    }
  }
  return findFaultOfEventId(rules, pdu) ?? findFaultOfRoomId(rules, pdu);
}

/**
 * > Event IDs should not be sent over federation to servers when the room uses this room version. On the receiving end of an
 * > event, the server should compute the relevant event ID for itself.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v3/#event-ids}
 *
 * One that is there all the same is hashed, as redaction keeps it, and names another event than the hash does. It is no part
 * of the format, and servers that refuse it never have the event.
 */
function findFaultOfEventId(rules: RoomVersionRules, pdu: JsonObject): Reject<PduRule> | undefined {
  if (rules.event.eventId !== 'explicit') {
    return pdu.event_id === undefined ? undefined : reject('pdu.event_id', 'The event has an event_id of its own');
  }
  if (typeof pdu.event_id === 'string' && isEventIdOf('explicit', pdu.event_id)) return undefined;
  return reject('pdu.event_id', 'event_id is not an event ID');
}

function findFaultOfRoomId(rules: RoomVersionRules, pdu: JsonObject): Reject<PduRule> | undefined {
  if (rules.event.roomId === 'create-event' && pdu.type === 'm.room.create') {
    return pdu.room_id === undefined ? undefined : reject('pdu.room_id', 'A create event has no room_id of its own');
  }
  if (typeof pdu.room_id === 'string' && isRoomIdOf(rules.event.roomId, pdu.room_id)) return undefined;
  return reject('pdu.room_id', 'room_id is not a room ID');
}

function findFaultOfNumbers(rules: RoomVersionRules, pdu: JsonObject): Reject<PduRule> | undefined {
  const highest = rules.canonicalJson === 'strict' ? Number.MAX_SAFE_INTEGER : maxLenientInteger;
  if (!isInteger(pdu.origin_server_ts) || Math.abs(pdu.origin_server_ts) > highest) {
    return reject('pdu.origin_server_ts', 'origin_server_ts is not an integer in range');
  }
  if (!isInteger(pdu.depth) || pdu.depth < 0 || pdu.depth > highest) {
    return reject('pdu.depth', 'depth is not an integer in range');
  }
  return undefined;
}

function isInteger(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value);
}

function findFaultOfReferences(
  rules: RoomVersionRules,
  pdu: JsonObject,
  field: 'prev_events' | 'auth_events',
  limit: number,
): Reject<PduRule> | undefined {
  const references = pdu[field];
  const rule = `pdu.${field}` as const;
  if (!Array.isArray(references)) return reject(rule, `${field} is not an array`);
  if (references.length > limit) return reject(rule, `${field} has more than ${limit} entries`);
  const isReference = rules.event.references === 'ids' ? isId : isPair;
  if (!(references as readonly JsonValue[]).every(isReference)) return reject(rule, `${field} is malformed`);
  return undefined;
}

function isId(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && isEventId(value);
}

function isPair(value: JsonValue): boolean {
  return Array.isArray(value) && value.length === 2 && isId(value[0]) && isJsonObject(value[1]);
}

function findFaultOfObjects(rules: RoomVersionRules, pdu: JsonObject): Reject<PduRule> | undefined {
  if (!isJsonObject(pdu.content)) return reject('pdu.content', 'content is not an object');
  if (!isJsonObject(pdu.hashes) || typeof pdu.hashes.sha256 !== 'string') {
    return reject('pdu.hashes', 'hashes has no sha256');
  }
  if (!isJsonObject(pdu.signatures)) return reject('pdu.signatures', 'signatures is not an object');
  if (rules.event.redacts === 'top-level' && pdu.type === 'm.room.redaction') {
    if (pdu.redacts !== undefined && typeof pdu.redacts !== 'string') {
      return reject('pdu.redacts', 'redacts is not a string');
    }
  }
  return undefined;
}
