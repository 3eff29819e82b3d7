import {
  additionalCreators,
  isJsonObject,
  isUserId,
  type JsonObject,
  type JsonValue,
  levelDefaults,
  readPowerLevel,
  type RoomVersionRules,
} from '@portico/protocol';
import type { RoomState } from '../read-state.ts';

type NewRoom = {
  readonly rules: RoomVersionRules;
  /** Who upgrades the room, and whom they make creators besides. */
  readonly creators: readonly string[];
};

/** What `/createRoom` gives a creator where creators are nothing special. */
const creatorLevel = 100;
const tombstoneLevel = 150;

/**
 * The power levels of the old room as the new one can have them.
 *
 * "the power level for sending `m.room.tombstone` events MUST explicitly be higher than `state_default`", and creators
 * "cannot be specified in the `users` field", both since version 12.
 */
export function carriedPowerLevels(old: RoomState, { rules, creators }: NewRoom): JsonObject {
  const content = asIntegers(old.rules, rules, old.state('m.room.power_levels')?.content ?? {});
  // Early versions took anything for a user ID.
  const given = Object.entries(objectOf(content['users'])).filter(([userId]) => isUserId(userId));
  const users: Record<string, JsonValue> = Object.fromEntries(given);
  if (!rules.auth.privilegedCreators) {
    // Whoever was above all levels, or needed none to be named, keeps as much power as there was to have.
    const highest = Math.max(creatorLevel, ...Object.values(users).filter((level) => typeof level === 'number'));
    const former = formerCreators(old);
    for (const userId of former) users[userId] ??= highest;
    const upgrader = creators[0];
    if (upgrader !== undefined && old.state('m.room.power_levels') === undefined) users[upgrader] ??= creatorLevel;
    const { events } = content;
    if (former.length === 0 || !isJsonObject(events)) return { ...content, users };
    return { ...content, users, events: atMost(events, highest) };
  }
  for (const userId of creators) delete users[userId];
  const stateDefault = numberOf(content['state_default']) ?? levelDefaults.state_default;
  const events = objectOf(content['events']);
  const tombstone = Math.max(numberOf(events['m.room.tombstone']) ?? 0, stateDefault + 1, tombstoneLevel);
  return { ...content, users, events: { ...events, 'm.room.tombstone': tombstone } };
}

/** The creators of a room in which they have infinite power. */
function formerCreators({ rules, state }: RoomState): string[] {
  const create = state('m.room.create');
  if (create === undefined || !rules.auth.privilegedCreators) return [];
  return [create.sender, ...additionalCreators(create)].filter((userId) => typeof userId === 'string');
}

/** Older versions take texts and fractions for levels; newer ones refuse the whole event for one of them. */
function asIntegers(from: RoomVersionRules, to: RoomVersionRules, content: JsonObject): JsonObject {
  if (!to.auth.integerPowerLevels) return content;
  const level = (value: JsonValue | undefined): JsonValue | undefined => readPowerLevel(from, value);
  return Object.fromEntries(
    Object.entries(content).flatMap(([name, value]) => {
      if (isJsonObject(value)) {
        const levels = Object.entries(value).flatMap(([key, given]) => {
          const read = level(given);
          return read === undefined ? [] : [[key, read] as const];
        });
        return [[name, Object.fromEntries(levels)] as const];
      }
      const read = level(value);
      return read === undefined ? [] : [[name, read] as const];
    }),
  );
}

/** What nobody would have the power for without infinite power is for the most powerful. */
function atMost(levels: JsonObject, highest: number): JsonObject {
  return Object.fromEntries(
    Object.entries(levels).map(([type, level]) => [type, typeof level === 'number' ? Math.min(level, highest) : level]),
  );
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
