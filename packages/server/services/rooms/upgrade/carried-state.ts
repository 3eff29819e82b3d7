import type { JsonObject, RoomVersionRules } from '@portico/protocol';
import { type Draft, stateDraft } from '../draft.ts';
import type { RoomState } from '../read-state.ts';

/**
 * What is taken over into the new room besides its power levels, bans and the children of a space.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-19}
 */
const carriedTypes = [
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.encryption',
  'm.room.server_acl',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
] as const;

/** The entries of the old room's state that an upgrade looks at. */
export const upgradeEntries: readonly (readonly [string, string])[] = [
  ...carriedTypes.map((type) => [type, ''] as const),
  ['m.room.create', ''],
  ['m.room.power_levels', ''],
  ['m.room.canonical_alias', ''],
];

/**
 * What the new room says where the old one said nothing. "If this event is absent, servers should act as if it is present and has
 * the value `forbidden`": so they do, but whoever follows an upgrade looks for all that is to be taken over.
 */
const defaults: ReadonlyMap<string, JsonObject> = new Map([['m.room.guest_access', { guest_access: 'forbidden' }]]);

/** The drafts that bring the old room's state into the new one. */
export function carriedState(sender: string, old: RoomState, rules: RoomVersionRules): Draft[] {
  return carriedTypes.flatMap((type) => {
    const content = old.state(type)?.content ?? defaults.get(type);
    if (content === undefined) return [];
    return [stateDraft(sender, type, type === 'm.room.join_rules' ? joinRulesFor(rules, content) : content)];
  });
}

/** A join rule that the new version does not know would let nobody in by any of its conditions: `invite` says so. */
function joinRulesFor({ auth }: RoomVersionRules, content: JsonObject): JsonObject {
  const rule = content['join_rule'];
  const isKnown =
    (rule === 'knock' && auth.knocking) ||
    (rule === 'restricted' && auth.restrictedJoins) ||
    (rule === 'knock_restricted' && auth.knockRestricted) ||
    rule === 'public' ||
    rule === 'invite' ||
    rule === 'private';
  return isKnown ? content : { join_rule: 'invite' };
}
