import type { EventFormatRules } from '../room-versions/rules.ts';
import { isNamespacedIdentifier, isOpaqueIdentifier } from './identifier.ts';

declare const eventIdBrand: unique symbol;
/** An event ID that {@link parseEventId} accepted. */
export type EventId = string & { readonly [eventIdBrand]: true };

const urlSafeHash = /^[A-Za-z0-9_-]{43}$/;
const standardHash = /^[A-Za-z0-9+/]{43}$/;

/** Any event ID, of whatever room version: `$` and an opaque rest. */
export function isEventId(text: string): text is EventId {
  return text.length > 1 && isOpaqueIdentifier(text, '$');
}

/** The form that a room version asks for. {@link https://spec.matrix.org/v1.19/appendices/#event-ids} */
export function isEventIdOf(form: EventFormatRules['eventId'], text: string): text is EventId {
  switch (form) {
    case 'explicit':
      return isNamespacedIdentifier(text, '$');
    case 'reference-hash':
      return text.startsWith('$') && standardHash.test(text.slice(1));
    case 'reference-hash-url-safe':
      return text.startsWith('$') && urlSafeHash.test(text.slice(1));
    default:
      return form satisfies never;
  }
}

/** The text as an event ID of whatever room version, or `undefined` where it is none. */
export function parseEventId(text: string): EventId | undefined {
  return isEventId(text) ? text : undefined;
}
