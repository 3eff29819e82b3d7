import { Buffer } from 'node:buffer';
import { decodeBase64 } from '../crypto/base64.ts';
import { sha256Base64, sha256Base64Url } from '../crypto/sha256.ts';
import { signedText } from '../crypto/sign-json.ts';
import { encodeCanonical } from '../json/canonical.ts';
import { filterKeys, type JsonFields } from '../json/object.ts';
import { isJsonObject } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { redactPdu } from './redact.ts';

/**
 * > any existing `unsigned`, `signatures`, and `hashes` properties are removed. The resulting object is then encoded as
 * > Canonical JSON, and the JSON is hashed using SHA-256.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event}
 */
export function contentHash(rules: RoomVersionRules, pdu: JsonFields): string {
  const hashed = filterKeys(pdu, (key) => key !== 'unsigned' && key !== 'signatures' && key !== 'hashes');
  return sha256Base64(encodeCanonical(hashed, rules.canonicalJson));
}

/**
 * Whether the event is what was hashed. If not, only its redacted form counts.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events}
 */
export function checkHash(rules: RoomVersionRules, pdu: JsonFields): boolean {
  const claimed = isJsonObject(pdu.hashes) ? pdu.hashes.sha256 : undefined;
  if (typeof claimed !== 'string') return false;
  const expected = contentHash(rules, pdu);
  if (claimed === expected) return true;
  // The bytes are compared, for the encoding of a hash may bear padding.
  const bytes = decodeBase64(claimed);
  return bytes !== undefined && Buffer.from(expected, 'base64').equals(bytes);
}

/** The text over which an event is signed, and of which its reference hash is taken: redacted, without signatures. */
export function redactedText(rules: RoomVersionRules, pdu: JsonFields): string {
  return signedText(redactPdu(rules, pdu), rules.canonicalJson);
}

/**
 * In unpadded Base64, as room versions 1 and 2 put it beside each event ID of `prev_events` and `auth_events`.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event}
 */
export function referenceHash(rules: RoomVersionRules, pdu: JsonFields): string {
  return sha256Base64(redactedText(rules, pdu));
}

/** The event ID that a room version derives from the redacted text, or `explicit` where the sending server chose one. */
export function eventIdOfText(rules: RoomVersionRules, text: string, explicit: string | undefined): string {
  switch (rules.event.eventId) {
    case 'explicit':
      return explicit ?? '';
    case 'reference-hash':
      return `$${sha256Base64(text)}`;
    case 'reference-hash-url-safe':
      return `$${sha256Base64Url(text)}`;
    default:
      return rules.event.eventId satisfies never;
  }
}

/** {@link https://spec.matrix.org/v1.19/rooms/v4/#event-ids} */
export function eventIdOf(rules: RoomVersionRules, pdu: JsonFields): string {
  const explicit = typeof pdu.event_id === 'string' ? pdu.event_id : undefined;
  if (rules.event.eventId === 'explicit') return explicit ?? '';
  return eventIdOfText(rules, redactedText(rules, pdu), explicit);
}
