import { findRoomVersion } from '../room-versions/registry.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';
import { reject, type Reject } from './decision.ts';
import { parsePdu, type PduRule } from './parse-pdu.ts';
import { toRoomEvent } from './room-event.ts';
import type { RoomEvent } from './pdu.ts';

/**
 * > The version of the room. Defaults to `"1"` if the key does not exist.
 *
 * `undefined` for a version that this program does not know, or that is not a string.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mroomcreate}
 */
export function roomVersionOfCreate(content: JsonObject): RoomVersionRules | undefined {
  const version = content.room_version;
  if (version === undefined) return findRoomVersion('1');
  return typeof version === 'string' ? findRoomVersion(version) : undefined;
}

export type CreateRule = PduRule | 'create.type' | 'create.state_key' | 'create.version' | 'create.other_room';

/**
 * Whether a full create event, such as comes with an invite, is the one of this room: where the room ID is derived from
 * it, nobody can pass off another.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#event-format}
 */
export function checkCreateEvent(
  rules: RoomVersionRules,
  roomId: string,
  value: JsonValue,
): { readonly kind: 'ok'; readonly event: RoomEvent } | Reject<CreateRule> {
  if (!isJsonObject(value) || value.type !== 'm.room.create') return reject('create.type', 'Not a create event');
  if (value.state_key !== '') return reject('create.state_key', 'The state key of a create event is empty');
  const parsed = parsePdu(rules, value);
  if (parsed.kind === 'reject') return parsed;
  if (roomVersionOfCreate(parsed.pdu.content) !== rules) {
    return reject('create.version', 'The create event is of another room version');
  }
  const event = toRoomEvent(rules, parsed.pdu, parsed.eventId, { rejected: false });
  return event.roomId === roomId
    ? { kind: 'ok', event }
    : reject('create.other_room', 'The event created another room');
}
