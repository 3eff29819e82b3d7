import type { JsonValue } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { maxDepth } from './limits.ts';
import type { Pdu, RoomEvent } from './pdu.ts';
import { stickyDuration, stickyField } from './sticky.ts';

/** A parsed PDU as authorisation, state resolution and storage see it. */
export function toRoomEvent(
  rules: RoomVersionRules,
  pdu: Pdu,
  eventId: string,
  { rejected }: { readonly rejected: boolean },
): RoomEvent {
  const redacts = rules.event.redacts === 'content' ? pdu.content.redacts : pdu.redacts;
  const stickyMs = stickyDuration(pdu[stickyField]);
  return {
    eventId,
    roomId: pdu.room_id ?? roomIdOfCreateEvent(eventId),
    type: pdu.type,
    sender: pdu.sender,
    stateKey: pdu.state_key,
    content: pdu.content,
    // What other programs and the storage can count with; the event itself keeps what it says.
    originServerTs: clampToSafe(pdu.origin_server_ts),
    depth: Math.min(pdu.depth, maxDepth),
    prevEvents: referencedIds(rules, pdu.prev_events),
    authEvents: referencedIds(rules, pdu.auth_events),
    redacts: pdu.type === 'm.room.redaction' && typeof redacts === 'string' ? redacts : undefined,
    rejected,
    ...(stickyMs !== undefined && { stickyMs }),
  };
}

function clampToSafe(value: number): number {
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER));
}

/**
 * > room IDs are simply the event ID of the `m.room.create` event using `!` as the sigil instead of `$`
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#room-ids}
 */
export function roomIdOfCreateEvent(eventId: string): string {
  return `!${eventId.slice(1)}`;
}

/** The event ID of the create event of a room whose ID has no server name. */
export function createEventIdOfRoom(roomId: string): string {
  return `$${roomId.slice(1)}`;
}

/**
 * What an event is allowed by: its `auth_events`, and the create event where the room's ID stands for it in there. Other servers
 * refuse an auth chain without one.
 *
 * > the `auth_events` no longer specify the create event ID
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4291-room-ids-as-hashes.md}
 */
export function allAuthEvents(
  rules: RoomVersionRules,
  { eventId, roomId, authEvents }: Pick<RoomEvent, 'eventId' | 'roomId' | 'authEvents'>,
): readonly string[] {
  if (rules.event.createInAuthEvents) return authEvents;
  const create = createEventIdOfRoom(roomId);
  return eventId === create ? authEvents : [create, ...authEvents];
}

/** Event IDs from `prev_events` or `auth_events`, which in room versions 1 and 2 are pairs with hashes. */
export function referencedIds(rules: RoomVersionRules, references: readonly JsonValue[]): readonly string[] {
  if (rules.event.references === 'ids') return references as readonly string[];
  return references.map((reference) => (reference as readonly JsonValue[])[0] as string);
}
