import type { RoomEvent } from '../events/pdu.ts';
import { isJsonObject } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';

export type StateKeyPair = readonly [type: string, stateKey: string];

/** What selecting auth events needs of an event, so that it can be done before there is one. */
export type EventDraft = Pick<RoomEvent, 'type' | 'sender' | 'stateKey' | 'content'>;

/**
 * The entries of the room state that give the sender permission to send the event: what its `auth_events` name, as far as
 * the room has them.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection}
 */
export function authEventKeys(rules: RoomVersionRules, draft: EventDraft): readonly StateKeyPair[] {
  // "The `auth_events` for the `m.room.create` event in a room is empty"
  if (draft.type === 'm.room.create') return [];
  const keys: StateKeyPair[] = [];
  // "Depending on the room version, the `m.room.create` event."
  if (rules.event.createInAuthEvents) keys.push(['m.room.create', '']);
  // "The current `m.room.power_levels` event, if any."
  keys.push(['m.room.power_levels', '']);
  // "The sender's current `m.room.member` event, if any."
  keys.push(['m.room.member', draft.sender]);
  if (draft.type === 'm.room.member') addMembershipKeys(rules, draft, keys);
  return keys;
}

function addMembershipKeys(rules: RoomVersionRules, draft: EventDraft, keys: StateKeyPair[]): void {
  const { content, sender, stateKey } = draft;
  const membership = content['membership'];
  // "The target's current `m.room.member` event, if any."
  if (stateKey !== undefined && stateKey !== sender) keys.push(['m.room.member', stateKey]);
  // "If `membership` is `join`, `invite` or `knock`, the current `m.room.join_rules` event, if any." Before version 7 a
  // knock is no membership, and the event is refused whatever it names.
  if (membership === 'join' || membership === 'invite' || membership === 'knock') {
    keys.push(['m.room.join_rules', '']);
  }
  // "If membership is `invite` and `content` contains a `third_party_invite` property, the current
  // `m.room.third_party_invite` event with `state_key` matching `content.third_party_invite.signed.token`, if any."
  if (membership === 'invite') {
    const invite = content['third_party_invite'];
    const signed = isJsonObject(invite) ? invite['signed'] : undefined;
    const token = isJsonObject(signed) ? signed['token'] : undefined;
    if (typeof token === 'string') keys.push(['m.room.third_party_invite', token]);
  }
  // "If `membership` is `join`, `content.join_authorised_via_users_server` is present, and the room version supports
  // restricted rooms, then the `m.room.member` event with `state_key` matching
  // `content.join_authorised_via_users_server`."
  if (membership === 'join' && rules.auth.restrictedJoins) {
    const authoriser = content['join_authorised_via_users_server'];
    if (typeof authoriser === 'string' && authoriser !== sender && authoriser !== stateKey) {
      keys.push(['m.room.member', authoriser]);
    }
  }
}
