import type { EventFormatRules } from '../room-versions/rules.ts';
import { isNamespacedIdentifier } from './identifier.ts';

declare const roomIdBrand: unique symbol;
/** A room ID that {@link parseRoomId} accepted. */
export type RoomId = string & { readonly [roomIdBrand]: true };

const urlSafeHash = /^[A-Za-z0-9_-]{43}$/;

/** Either form: `!opaque_id:domain`, or since room version 12 `!` and the hash of the create event. */
export function isRoomId(text: string): text is RoomId {
  return isRoomIdOf('create-event', text) || isRoomIdOf('opaque', text);
}

/** The form that a room version asks for. {@link https://spec.matrix.org/v1.19/appendices/#room-ids} */
export function isRoomIdOf(form: EventFormatRules['roomId'], text: string): text is RoomId {
  if (form === 'create-event') return text.startsWith('!') && urlSafeHash.test(text.slice(1));
  return isNamespacedIdentifier(text, '!');
}

/** The text as a room ID of whatever room version, or `undefined` where it is none. */
export function parseRoomId(text: string): RoomId | undefined {
  return isRoomId(text) ? text : undefined;
}
