import { Buffer } from 'node:buffer';
import { sha256Base64 } from '../crypto/sha256.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';

/** What an event says about another one of its room. */
export type Relation = {
  readonly type: string;
  /** The event that it relates to. */
  readonly eventId: string;
  /** Of an annotation: what is said, such as an emoji. A long one stands as its hash. */
  readonly key: string | undefined;
};

/** Longer names than these are not names of anything: the spec gives event IDs and event types 255 bytes. */
const maxBytes = 255;

/**
 * The relation of an event to another, if it has a well-formed one.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events}
 */
export function parseRelation(content: JsonObject): Relation | undefined {
  const relation = content['m.relates_to'];
  if (!isJsonObject(relation)) return undefined;
  const { rel_type: type, event_id: eventId, key } = relation;
  if (typeof type !== 'string' || typeof eventId !== 'string' || !isName(type) || !isName(eventId)) return undefined;
  return { type, eventId, key: type === 'm.annotation' && typeof key === 'string' ? shortKey(key) : undefined };
}

function isName(text: string): boolean {
  return text !== '' && Buffer.byteLength(text) <= maxBytes && !text.includes('\0');
}

function shortKey(key: string): string {
  return isName(key) ? key : `sha256:${sha256Base64(key)}`;
}

/** Whether an event may count as an edit of another, as far as it shows on the event itself. */
export function isReplacement(type: string, stateKey: string | undefined, content: JsonObject): boolean {
  if (stateKey !== undefined) return false;
  // "There is no `m.new_content` property in the cleartext content of the `m.room.encrypted` event."
  return type === 'm.room.encrypted' || isJsonObject(content['m.new_content']);
}
