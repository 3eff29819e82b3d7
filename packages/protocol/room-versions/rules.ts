/**
 * What differs between room versions, as plain data. Every field is required; nothing else in the program compares a
 * room version's name.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/}
 */
export type RoomVersionRules = {
  readonly version: string;
  readonly event: EventFormatRules;
  readonly canonicalJson: 'lenient' | 'strict';
  readonly stateResolution: 'v1' | 'v2' | 'v2.1';
  readonly auth: AuthRules;
  readonly redaction: RedactionRules;
  /** Whether a signature counts only if its key was valid at the event's `origin_server_ts` (since version 5). */
  readonly enforceKeyValidity: boolean;
};

export type EventFormatRules = {
  /**
   * `explicit`: the `event_id` field, chosen by the sending server (versions 1 and 2). `reference-hash`: the reference
   * hash in standard Base64 (version 3). `reference-hash-url-safe`: the same in URL-safe Base64 (since version 4).
   */
  readonly eventId: 'explicit' | 'reference-hash' | 'reference-hash-url-safe';
  /** `pairs`: `prev_events` and `auth_events` are `[event ID, hashes]` pairs (versions 1 and 2). */
  readonly references: 'pairs' | 'ids';
  /** `create-event`: the room ID is the create event's ID with `!` for `$`, and the create event has no `room_id` (since 12). */
  readonly roomId: 'opaque' | 'create-event';
  /** Where a redaction names what it redacts: top level, or in `content` (since 11). */
  readonly redacts: 'top-level' | 'content';
  /** Whether auth events name the create event; since version 12 the room ID already does. */
  readonly createInAuthEvents: boolean;
};

export type AuthRules = {
  /** `m.room.create` must have a `creator` in its content (until version 10). */
  readonly requireCreator: boolean;
  /** `m.room.aliases` has a rule of its own (until version 5). */
  readonly aliasesSpecialCase: boolean;
  /** `domain`: a redaction also passes if its ID's domain is that of the event it redacts (versions 1 and 2). `none`: the check is made when the redaction is applied (since 3). */
  readonly redaction: 'domain' | 'none';
  /** `notifications` of power levels may not be changed beyond the sender's own level (since 6). */
  readonly limitNotificationLevels: boolean;
  /** Membership `knock` and join rule `knock` (since 7). */
  readonly knocking: boolean;
  /** Join rule `restricted` (since 8). */
  readonly restrictedJoins: boolean;
  /** Join rule `knock_restricted` (since 10). */
  readonly knockRestricted: boolean;
  /** Power levels must be JSON integers; before version 10 strings that spell integers are accepted. */
  readonly integerPowerLevels: boolean;
  /** The sender of the create event, and `additional_creators`, have infinite power (since 12). */
  readonly privilegedCreators: boolean;
  /** The creator whom initial joins and default power levels mean: `content.creator`, or the create event's sender (since 11). */
  readonly creator: 'content' | 'sender';
};

export type RedactionRules = {
  /** `m.room.aliases` keeps `aliases` (until 5). */
  readonly keepAliases: boolean;
  /** `m.room.join_rules` keeps `allow` (since 8). */
  readonly keepJoinRulesAllow: boolean;
  /** `m.room.member` keeps `join_authorised_via_users_server` (since 9). */
  readonly keepJoinAuthorisedVia: boolean;
  /** `m.room.member` keeps `third_party_invite.signed` (since 11). */
  readonly keepThirdPartyInviteSigned: boolean;
  /** `m.room.create` keeps its whole content (since 11). */
  readonly keepCreateContent: boolean;
  /** `m.room.power_levels` keeps `invite` (since 11). */
  readonly keepPowerLevelsInvite: boolean;
  /** `m.room.redaction` keeps `content.redacts` (since 11). */
  readonly keepRedacts: boolean;
  /** Top-level `origin`, `membership` and `prev_state` survive (until 10). */
  readonly keepObsoleteFields: boolean;
};
