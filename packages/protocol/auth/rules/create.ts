import type { RoomEvent } from '../../events/pdu.ts';
import { findRoomVersion } from '../../room-versions/registry.ts';
import type { RoomVersionRules } from '../../room-versions/rules.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import { domainOf } from '../../ids/identifier.ts';
import { isUserId } from '../../ids/user-id.ts';

/**
 * Rule 1: "If type is `m.room.create`".
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseCreate(rules: RoomVersionRules, event: RoomEvent): AuthDecision {
  // 1.1 "If it has any `prev_events`, reject."
  if (event.prevEvents.length > 0) return reject('create.prev_events', 'a create event comes first in its room');

  if (rules.event.roomId === 'create-event') {
    // 1.2, since version 12: "If the event has a `room_id`, reject." The room ID that an event has without one is its own
    // ID with another sigil, which no event can contain, since the ID is a hash over it.
    if (event.roomId !== `!${event.eventId.slice(1)}`) {
      return reject('create.room_id_present', 'the create event names a room ID, which it ought to define');
    }
  } else if (domainOf(event.roomId) === undefined || domainOf(event.roomId) !== domainOf(event.sender)) {
    // 1.2, until version 11: "If the domain of the `room_id` does not match the domain of the `sender`, reject."
    return reject('create.room_domain', "the room ID is not of the sender's server");
  }

  // 1.3 "If `content.room_version` is present and is not a recognised version, reject."
  const version = event.content['room_version'];
  if (version !== undefined && (typeof version !== 'string' || findRoomVersion(version) === undefined)) {
    return reject('create.room_version_unknown', `the room version ${JSON.stringify(version)} is not known`);
  }

  // 1.4, until version 10: "If `content` has no `creator` property, reject."
  if (rules.auth.requireCreator && event.content['creator'] === undefined) {
    return reject('create.no_creator', 'the create event has no creator');
  }

  // 1.4, since version 12: "If `additional_creators` is present in `content` and is not an array of strings where each
  // string passes the same user ID validation applied to `sender`, reject."
  if (rules.auth.privilegedCreators && !areAdditionalCreators(event.content['additional_creators'])) {
    return reject('create.additional_creators', 'the additional creators are not a list of user IDs');
  }

  // 1.5 "Otherwise, allow."
  return allow;
}

function areAdditionalCreators(value: unknown): boolean {
  if (value === undefined) return true;
  return Array.isArray(value) && value.every((user) => typeof user === 'string' && isUserId(user));
}
