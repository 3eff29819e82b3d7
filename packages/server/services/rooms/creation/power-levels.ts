import { isJsonObject, type JsonObject, type RoomVersionRules } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Preset } from './presets.ts';

type Options = {
  readonly rules: RoomVersionRules;
  readonly creator: string;
  readonly additionalCreators: readonly string[];
  readonly preset: Preset;
  readonly invited: readonly string[];
  /** The request's `power_level_content_override`. */
  readonly override: JsonObject | undefined;
};

/** The content of a new room's `m.room.power_levels`. */
export function initialPowerLevels(options: Options): JsonObject {
  const { rules, creator, preset, override } = options;
  const privileged = rules.auth.privilegedCreators;
  const content: JsonObject = {
    users: initialUsers(options),
    users_default: 0,
    events: {
      'm.room.name': 50,
      'm.room.power_levels': 100,
      'm.room.history_visibility': 100,
      'm.room.canonical_alias': 50,
      'm.room.avatar': 50,
      // "If the room's version is 12 or higher, the power level for sending m.room.tombstone events MUST explicitly be
      // higher than state_default."
      'm.room.tombstone': privileged ? 150 : 100,
      'm.room.server_acl': 100,
      'm.room.encryption': 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    // Who comes into a public room needs no invitation; and who invites lets people into it if it becomes restricted.
    invite: preset === 'public_chat' ? 50 : 0,
    historical: 100,
    ...override,
  };
  if (privileged) refuseCreatorLevels(content, [creator, ...options.additionalCreators]);
  return content;
}

function initialUsers({ rules, creator, preset, invited }: Options): JsonObject {
  // "the room creator is given infinite power level and cannot be specified in the users field"
  if (rules.auth.privilegedCreators) return {};
  const trusted = preset === 'trusted_private_chat' ? invited : [];
  return Object.fromEntries([creator, ...trusted].map((userId) => [userId, 100]));
}

function refuseCreatorLevels(content: JsonObject, creators: readonly string[]): void {
  const users = content['users'];
  if (!isJsonObject(users)) return;
  const listed = creators.find((userId) => Object.hasOwn(users, userId));
  if (listed === undefined) return;
  throw new MatrixError('request.bad-json', {
    message: `power_level_content_override.users may not name ${listed}: a creator's power is infinite in this room version.`,
  });
}
