import type { RoomEvent } from '../../events/pdu.ts';
import { isJsonObject, type JsonValue } from '../../json/value.ts';
import type { RoomVersionRules } from '../../room-versions/rules.ts';
import { additionalCreators } from '../creators.ts';
import { reject, type AuthReject } from '../decision.ts';
import { levelNames, readPowerLevel } from '../power-levels.ts';
import type { RuleContext } from '../rule-context.ts';
import { isUserId } from '../../ids/user-id.ts';

/**
 * The rules about what an `m.room.power_levels` event may contain: 10.1 to 10.4 of room version 12.
 *
 * Before version 10 the numbered rules look at `users` only. A level that the version cannot read as a number has no
 * meaning there either ("each of the integer-valued properties […] can be encoded as strings"; "Values outside the range
 * […] cause the powerlevel event to be rejected"), so the event is refused as well; `null` counts as left out.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 * {@link https://spec.matrix.org/v1.19/rooms/v1/#deprecated-event-content-schemas}
 */
export function checkPowerLevelsFormat({ rules, event, create }: RuleContext): AuthReject | undefined {
  return (
    checkLevels(rules, event) ??
    checkEntries(rules, event) ??
    checkUsers(rules, event) ??
    checkCreators(rules, event, create)
  );
}

/**
 * 10.1 "If any of the properties `users_default`, `events_default`, `state_default`, `ban`, `redact`, `kick`, or `invite` in
 * `content` are present and not an integer, reject."
 */
function checkLevels(rules: RoomVersionRules, { content }: RoomEvent): AuthReject | undefined {
  const name = levelNames.find((level) => isPresent(rules, content[level]) && !isLevel(rules, content[level]));
  return name && reject('power_levels.level_not_integer', `the level ${name} is not an integer`);
}

/**
 * 10.2 "If either of the properties `events` or `notifications` in `content` are present and not an object with values that
 * are integers, reject."
 */
function checkEntries(rules: RoomVersionRules, { content }: RoomEvent): AuthReject | undefined {
  const name = entryMaps(rules).find((map) => {
    const entries = content[map];
    if (!isPresent(rules, entries)) return false;
    return (
      !isJsonObject(entries) ||
      Object.values(entries).some((level) => isPresent(rules, level) && !isLevel(rules, level))
    );
  });
  return name && reject('power_levels.entry_not_integer', `the levels of ${name} are not an object of integers`);
}

/** Until version 5 nothing is asked of `notifications`. */
export function entryMaps(rules: RoomVersionRules): readonly ('events' | 'notifications')[] {
  return rules.auth.limitNotificationLevels ? ['events', 'notifications'] : ['events'];
}

/**
 * 10.3 "If the `users` property in `content` is not an object with keys that are valid user IDs with values that are
 * integers, reject." Until version 9, "or a string that is an integer". An event without `users` names nobody.
 */
function checkUsers(rules: RoomVersionRules, { content }: RoomEvent): AuthReject | undefined {
  const users = content['users'];
  if (users === undefined) return undefined;
  if (!isJsonObject(users)) return reject('power_levels.users_malformed', 'the levels of users are not an object');
  for (const [userId, level] of Object.entries(users)) {
    if (!isUserId(userId)) {
      return reject('power_levels.users_malformed', `${JSON.stringify(userId)} is not a user ID`);
    }
    if (!isLevel(rules, level)) {
      return reject('power_levels.users_malformed', `the level of ${userId} is not an integer`);
    }
  }
  return undefined;
}

/**
 * 10.4, since version 12: "If the `users` property in `content` contains the `sender` of the `m.room.create` event or any of
 * the `additional_creators` array (if present) from the `content` of the `m.room.create` event, reject."
 */
function checkCreators(rules: RoomVersionRules, { content }: RoomEvent, create: RoomEvent): AuthReject | undefined {
  const users = content['users'];
  if (!rules.auth.privilegedCreators || !isJsonObject(users)) return undefined;
  const additional = additionalCreators(create);
  const creator = Object.keys(users).find((userId) => userId === create.sender || additional.has(userId));
  if (creator === undefined) return undefined;
  return reject('power_levels.creator_listed', `the power of ${creator}, a creator, cannot be set`);
}

function isPresent(rules: RoomVersionRules, value: JsonValue | undefined): boolean {
  return value !== undefined && (value !== null || rules.auth.integerPowerLevels);
}

function isLevel(rules: RoomVersionRules, value: JsonValue | undefined): boolean {
  return readPowerLevel(rules, value) !== undefined;
}
