import type { RoomEvent } from '../events/pdu.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { isCreator } from './creators.ts';

/** The levels that are properties of their own, with what counts where they are missing. */
export const levelDefaults = Object.freeze({
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
});

export type LevelName = keyof typeof levelDefaults;

/**
 * "In order to maintain backwards compatibility with early implementations, each of the integer-valued properties […]
 * can be encoded as strings": one base-10 integer, with a sign, leading zeroes and white space around it as one likes.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-strings}
 */
const integerText = /^\s*[+-]?[0-9]+\s*$/;

/** A power level as its room version reads it, or `undefined` if it is none. */
export function readPowerLevel(rules: RoomVersionRules, value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') {
    if (rules.auth.integerPowerLevels) return Number.isSafeInteger(value) ? value : undefined;
    // "the value is truncated at the decimal point"; "Values outside the range represented by IEE754 binary64 […] cause
    // the powerlevel event to be rejected": https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-floats
    return Number.isFinite(value) ? Math.trunc(value) : undefined;
  }
  if (typeof value === 'string' && !rules.auth.integerPowerLevels && integerText.test(value)) {
    const level = Number(value);
    return Number.isFinite(level) ? level : undefined;
  }
  return undefined;
}

/** The level that `ban`, `invite` and the like require. */
export function namedPowerLevel(rules: RoomVersionRules, powerLevels: RoomEvent | undefined, name: LevelName): number {
  return readPowerLevel(rules, powerLevels?.content[name]) ?? levelDefaults[name];
}

/** The level that sending an event of this type requires; not for memberships, which have rules of their own. */
export function requiredPowerLevel(
  rules: RoomVersionRules,
  powerLevels: RoomEvent | undefined,
  type: string,
  isState: boolean,
): number {
  return (
    readPowerLevel(rules, entry(powerLevels?.content['events'], type)) ??
    namedPowerLevel(rules, powerLevels, isState ? 'state_default' : 'events_default')
  );
}

/**
 * A user's level. Infinite for the creators of rooms since version 12. "If the room contains no `m.room.power_levels`
 * event, the room's creator has a power level of 100, and all other users have a power level of 0."
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels}
 */
export function userPowerLevel(
  rules: RoomVersionRules,
  create: RoomEvent | undefined,
  powerLevels: RoomEvent | undefined,
  userId: string,
): number {
  const creator = create !== undefined && isCreator(rules, create, userId);
  if (creator && rules.auth.privilegedCreators) return Infinity;
  if (powerLevels === undefined) return creator ? 100 : 0;
  return (
    readPowerLevel(rules, entry(powerLevels.content['users'], userId)) ??
    namedPowerLevel(rules, powerLevels, 'users_default')
  );
}

/** An entry of a map that others wrote: never one that an object's prototype has. */
function entry(map: JsonValue | undefined, key: string): JsonValue | undefined {
  return isJsonObject(map) && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** Every level that a power levels event spells out, read as the room version reads it. */
export type PowerLevels = {
  readonly levels: ReadonlyMap<LevelName, number>;
  readonly users: ReadonlyMap<string, number>;
  readonly events: ReadonlyMap<string, number>;
  readonly notifications: ReadonlyMap<string, number>;
};

const parsed = new WeakMap<JsonObject, { readonly rules: RoomVersionRules; readonly levels: PowerLevels }>();

/** What is in the content of a power levels event, without anything that is not a level. */
export function parsePowerLevels(rules: RoomVersionRules, content: JsonObject): PowerLevels {
  const known = parsed.get(content);
  if (known?.rules === rules) return known.levels;
  const levels: PowerLevels = {
    levels: parseLevels(rules, content),
    users: parseEntries(rules, content['users']),
    events: parseEntries(rules, content['events']),
    notifications: parseEntries(rules, content['notifications']),
  };
  parsed.set(content, { rules, levels });
  return levels;
}

function parseLevels(rules: RoomVersionRules, content: JsonObject): ReadonlyMap<LevelName, number> {
  const levels = new Map<LevelName, number>();
  for (const name of levelNames) {
    const level = readPowerLevel(rules, content[name]);
    if (level !== undefined) levels.set(name, level);
  }
  return levels;
}

function parseEntries(rules: RoomVersionRules, map: JsonValue | undefined): ReadonlyMap<string, number> {
  const levels = new Map<string, number>();
  if (!isJsonObject(map)) return levels;
  for (const [key, value] of Object.entries(map)) {
    const level = readPowerLevel(rules, value);
    if (level !== undefined) levels.set(key, level);
  }
  return levels;
}

/** Names of the levels that stand directly in the content of `m.room.power_levels`. */
export const levelNames: readonly LevelName[] = [
  'users_default',
  'events_default',
  'state_default',
  'ban',
  'redact',
  'kick',
  'invite',
];
