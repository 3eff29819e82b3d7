import type { RoomEvent } from '../../events/pdu.ts';
import type { RoomVersionRules } from '../../room-versions/rules.ts';
import { createEventOf, type AuthState } from '../auth-state.ts';
import { reject, type AuthReject } from '../decision.ts';

/**
 * Finds the create event without which no rule can be judged.
 *
 * Since room version 12 this is rule 2: "If the event's `room_id` is not an event ID for an accepted (not rejected)
 * `m.room.create` event, with the sigil `!` instead of `$`, reject." Before, rule 2.4 has every event name its create
 * event, so that a state without one allows nothing.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function findCreate(rules: RoomVersionRules, event: RoomEvent, state: AuthState): RoomEvent | AuthReject {
  const create = createEventOf(state);
  if (create === undefined || create.type !== 'm.room.create' || create.rejected) {
    return reject('room.no_create', 'the room has no accepted create event');
  }
  if (rules.event.roomId === 'create-event' && event.roomId !== `!${create.eventId.slice(1)}`) {
    return reject('room.no_create', 'the room ID is not that of the create event');
  }
  return create;
}
