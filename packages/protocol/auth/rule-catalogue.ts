/**
 * Every reason for which the authorisation rules refuse an event, with the room versions in which the rule appeared or
 * changed, and the last one that has it. The numbers are those of the version named first.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules} and the same section of each later version.
 */
export const ruleCatalogue = {
  'create.prev_events': { number: '1.1', changedIn: ['1'] },
  'create.room_domain': { number: '1.2', changedIn: ['1'], until: '11' },
  'create.room_id_present': { number: '1.2', changedIn: ['12'] },
  'create.room_version_unknown': { number: '1.3', changedIn: ['1'] },
  'create.no_creator': { number: '1.4', changedIn: ['1'], until: '10' },
  'create.additional_creators': { number: '1.4', changedIn: ['12'] },
  'auth_events.duplicate': { number: '2.1', changedIn: ['1'] },
  'auth_events.unexpected': { number: '2.2', changedIn: ['1', '7', '8', '12'] },
  'auth_events.rejected': { number: '2.3', changedIn: ['1'] },
  'auth_events.no_create': { number: '2.4', changedIn: ['1'], until: '11' },
  'auth_events.wrong_room': { number: '2.5', changedIn: ['1'] },
  'room.no_create': { number: '2', changedIn: ['1', '12'] },
  'room.not_federated': { number: '3', changedIn: ['1'] },
  'aliases.no_state_key': { number: '4.1', changedIn: ['1'], until: '5' },
  'aliases.wrong_domain': { number: '4.2', changedIn: ['1'], until: '5' },
  'member.malformed': { number: '5.1', changedIn: ['1'] },
  'member.not_signed_by_authoriser': { number: '4.2.1', changedIn: ['8'] },
  'member.join_for_another': { number: '5.2.2', changedIn: ['1', '11'] },
  'member.banned': { number: '5.2.3', changedIn: ['1'] },
  'member.join_not_invited': { number: '5.2.4', changedIn: ['1', '7'] },
  'member.join_not_authorised': { number: '4.3.5.2', changedIn: ['8', '10'] },
  'member.join_rule': { number: '5.2.6', changedIn: ['1', '7', '8', '10'] },
  'third_party_invite.banned': { number: '5.3.1.1', changedIn: ['1'] },
  'third_party_invite.not_signed': { number: '5.3.1.2', changedIn: ['1'] },
  'third_party_invite.no_mxid_or_token': { number: '5.3.1.3', changedIn: ['1'] },
  'third_party_invite.wrong_mxid': { number: '5.3.1.4', changedIn: ['1'] },
  'third_party_invite.unknown_token': { number: '5.3.1.5', changedIn: ['1'] },
  'third_party_invite.wrong_sender': { number: '5.3.1.6', changedIn: ['1'] },
  'third_party_invite.bad_signature': { number: '5.3.1.8', changedIn: ['1'] },
  'invite.sender_not_joined': { number: '5.3.2', changedIn: ['1'] },
  'invite.target_joined_or_banned': { number: '5.3.3', changedIn: ['1'] },
  'invite.power_too_low': { number: '5.3.5', changedIn: ['1', '12'] },
  'leave.not_a_member': { number: '5.4.1', changedIn: ['1', '7'] },
  'leave.sender_not_joined': { number: '5.4.2', changedIn: ['1'] },
  'leave.unban_power_too_low': { number: '5.4.3', changedIn: ['1'] },
  'leave.kick_power_too_low': { number: '5.4.5', changedIn: ['1', '12'] },
  'ban.sender_not_joined': { number: '5.5.1', changedIn: ['1'] },
  'ban.power_too_low': { number: '5.5.3', changedIn: ['1', '12'] },
  'knock.join_rule': { number: '4.6.1', changedIn: ['7', '10'] },
  'knock.for_another': { number: '4.6.2', changedIn: ['7'] },
  'knock.already_member_or_banned': { number: '4.6.4', changedIn: ['7'] },
  'member.unknown_membership': { number: '5.6', changedIn: ['1', '7'] },
  'sender.not_joined': { number: '6', changedIn: ['1', '6'] },
  'third_party_invite.power_too_low': { number: '7.1', changedIn: ['1'] },
  'power_levels.too_low': { number: '8', changedIn: ['1', '12'] },
  'state_key.not_sender': { number: '9', changedIn: ['1'] },
  'power_levels.level_not_integer': { number: '9.1', changedIn: ['1', '10'] },
  'power_levels.entry_not_integer': { number: '9.2', changedIn: ['1', '10'] },
  'power_levels.users_malformed': { number: '10.1', changedIn: ['1', '10'] },
  'power_levels.creator_listed': { number: '10.4', changedIn: ['12'] },
  'power_levels.change_level_above_own': { number: '10.3.1', changedIn: ['1', '12'] },
  'power_levels.set_level_above_own': { number: '10.3.2', changedIn: ['1', '12'] },
  'power_levels.change_entry_above_own': { number: '10.4.1', changedIn: ['1', '6'] },
  'power_levels.set_entry_above_own': { number: '10.5.1', changedIn: ['1', '6'] },
  'power_levels.change_user_not_below_own': { number: '10.6.1', changedIn: ['1', '12'] },
  'power_levels.set_user_above_own': { number: '10.7.1', changedIn: ['1', '12'] },
  'redaction.not_permitted': { number: '11.3', changedIn: ['1'], until: '2' },
} as const satisfies Record<string, AuthRule>;

type AuthRule = {
  readonly number: string;
  readonly changedIn: readonly string[];
  /** The last room version that has the rule. */
  readonly until?: string;
};

export type RuleCode = keyof typeof ruleCatalogue;
