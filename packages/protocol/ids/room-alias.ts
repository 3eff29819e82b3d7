import { isNamespacedIdentifier } from './identifier.ts';

declare const roomAliasBrand: unique symbol;
export type RoomAlias = string & { readonly [roomAliasBrand]: true };

/** {@link https://spec.matrix.org/v1.19/appendices/#room-aliases} */
export function isRoomAlias(text: string): text is RoomAlias {
  return isNamespacedIdentifier(text, '#');
}

export function parseRoomAlias(text: string): RoomAlias | undefined {
  return isRoomAlias(text) ? text : undefined;
}
