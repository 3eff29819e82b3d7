import type { RoomEvent } from '../events/pdu.ts';
import type { JsonObject } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

const additional = new WeakMap<JsonObject, ReadonlySet<unknown>>();

/**
 * Whether a user counts as a creator of the room: "the user ID denoted by the `sender` of the `m.room.create` event" and
 * "any user IDs contained in the `additional_creators` array" since version 12, the sender alone in version 11, and
 * `content.creator` before.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function isCreator(rules: RoomVersionRules, create: RoomEvent, userId: string): boolean {
  if (userId === roomCreator(rules, create)) return true;
  return rules.auth.privilegedCreators && additionalCreators(create).has(userId);
}

/** The one creator whose first join needs no invitation. */
export function roomCreator(rules: RoomVersionRules, create: RoomEvent): unknown {
  return rules.auth.creator === 'sender' ? create.sender : create.content['creator'];
}

/** What `additional_creators` of the create event lists, as it is written: nobody where that is no list. */
export function additionalCreators(create: RoomEvent): ReadonlySet<unknown> {
  const known = additional.get(create.content);
  if (known !== undefined) return known;
  const listed = create.content['additional_creators'];
  const creators = new Set<unknown>(Array.isArray(listed) ? listed : []);
  additional.set(create.content, creators);
  return creators;
}
