import { isNamespacedIdentifier } from './identifier.ts';

declare const roomAliasBrand: unique symbol;
/** A room alias that {@link parseRoomAlias} accepted. */
export type RoomAlias = string & { readonly [roomAliasBrand]: true };

/** {@link https://spec.matrix.org/v1.19/appendices/#room-aliases} */
export function isRoomAlias(text: string): text is RoomAlias {
  return isNamespacedIdentifier(text, '#');
}

/** The text as a room alias, or `undefined` where it is none. */
export function parseRoomAlias(text: string): RoomAlias | undefined {
  return isRoomAlias(text) ? text : undefined;
}
