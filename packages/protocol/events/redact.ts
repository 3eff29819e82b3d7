import { emptyJsonObject, filterKeys, type JsonFields } from '../json/object.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';
import type { RedactionRules, RoomVersionRules } from '../room-versions/rules.ts';

const keptFields: ReadonlySet<string> = new Set([
  'event_id',
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'hashes',
  'signatures',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
]);

const obsoleteFields: ReadonlySet<string> = new Set(['prev_state', 'origin', 'membership']);

/**
 * > the server must strip off any keys not in the following list […] The content object must also be stripped of all
 * > keys, unless it is one of the following event types
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#redactions}
 */
export function redactPdu(rules: RoomVersionRules, pdu: JsonFields): JsonObject {
  const kept = rules.redaction.keepObsoleteFields
    ? (key: string) => keptFields.has(key) || obsoleteFields.has(key)
    : (key: string) => keptFields.has(key);
  const redacted = filterKeys(pdu, kept);
  if (isJsonObject(pdu.content) && typeof pdu.type === 'string') {
    redacted.content = redactContent(rules, pdu.type, pdu.content);
  }
  return redacted;
}

/** What is left of an event's content. */
export function redactContent(rules: RoomVersionRules, type: string, content: JsonObject): JsonObject {
  if (type === 'm.room.create' && rules.redaction.keepCreateContent) return content;
  const kept = keptContentOf(rules.redaction).get(type);
  if (kept === undefined) return emptyJsonObject();
  const redacted = filterKeys(content, (key) => kept.has(key));
  if (type === 'm.room.member' && rules.redaction.keepThirdPartyInviteSigned) {
    const invite = content.third_party_invite;
    if (isJsonObject(invite)) redacted.third_party_invite = filterKeys(invite, (key) => key === 'signed');
  }
  return redacted;
}

/** Whether redaction leaves something of the content of this type; of message events it leaves nothing. */
export function redactionKeepsContent(rules: RoomVersionRules, type: string): boolean {
  return keptContentOf(rules.redaction).has(type);
}

type KeptContent = ReadonlyMap<string, ReadonlySet<string>>;

const keptContentByRules = new WeakMap<RedactionRules, KeptContent>();

function keptContentOf(rules: RedactionRules): KeptContent {
  let kept = keptContentByRules.get(rules);
  if (kept === undefined) {
    kept = listKeptContent(rules);
    keptContentByRules.set(rules, kept);
  }
  return kept;
}

const powerLevelKeys: readonly string[] = [
  'ban',
  'events',
  'events_default',
  'kick',
  'redact',
  'state_default',
  'users',
  'users_default',
];

function listKeptContent(rules: RedactionRules): KeptContent {
  const member = ['membership'];
  if (rules.keepJoinAuthorisedVia) member.push('join_authorised_via_users_server');
  const joinRules = ['join_rule'];
  if (rules.keepJoinRulesAllow) joinRules.push('allow');
  const kept = new Map([
    ['m.room.member', new Set(member)],
    ['m.room.create', new Set(['creator'])],
    ['m.room.join_rules', new Set(joinRules)],
    ['m.room.power_levels', new Set(rules.keepPowerLevelsInvite ? [...powerLevelKeys, 'invite'] : powerLevelKeys)],
    ['m.room.history_visibility', new Set(['history_visibility'])],
  ]);
  if (rules.keepAliases) kept.set('m.room.aliases', new Set(['aliases']));
  if (rules.keepRedacts) kept.set('m.room.redaction', new Set(['redacts']));
  return kept;
}
