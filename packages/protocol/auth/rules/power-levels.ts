import { allow, reject, type AuthDecision, type AuthReject } from '../decision.ts';
import { levelNames, parsePowerLevels, type PowerLevels } from '../power-levels.ts';
import { powerOf, type RuleContext } from '../rule-context.ts';
import { checkPowerLevelsFormat, entryMaps } from './power-levels-format.ts';

/**
 * "If type is `m.room.power_levels`": rule 10 of room version 12.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authorisePowerLevels(context: RuleContext): AuthDecision {
  const { rules, event, powerLevels } = context;
  const malformed = checkPowerLevelsFormat(context);
  if (malformed !== undefined) return malformed;
  // 10.5 "If there is no previous `m.room.power_levels` event in the room, allow."
  if (powerLevels === undefined) return allow;

  const current = parsePowerLevels(rules, powerLevels.content);
  const proposed = parsePowerLevels(rules, event.content);
  const power = powerOf(context, event.sender);
  return (
    checkLevels(current, proposed, power) ??
    checkEntries(context, current, proposed, power) ??
    checkUsers(current, proposed, power, event.sender) ??
    // 10.11 "Otherwise, allow."
    allow
  );
}

/**
 * 10.6 "For the properties `users_default`, `events_default`, `state_default`, `ban`, `redact`, `kick`, `invite` check if
 * they were added, changed or removed. For each found alteration".
 */
function checkLevels(current: PowerLevels, proposed: PowerLevels, power: number): AuthReject | undefined {
  for (const name of levelNames) {
    const before = current.levels.get(name);
    const after = proposed.levels.get(name);
    if (before === after) continue;
    // 10.6.1 "If the current value is higher than the `sender`'s current power level, reject."
    if (before !== undefined && before > power) {
      return reject('power_levels.change_level_above_own', `the level ${name} is above the sender's own`);
    }
    // 10.6.2 "If the new value is higher than the `sender`'s current power level, reject."
    if (after !== undefined && after > power) {
      return reject('power_levels.set_level_above_own', `the level ${name} would be above the sender's own`);
    }
  }
  return undefined;
}

/** 10.7 and 10.8: `events`, and since version 6 `notifications`. */
function checkEntries(
  { rules }: RuleContext,
  current: PowerLevels,
  proposed: PowerLevels,
  power: number,
): AuthReject | undefined {
  for (const map of entryMaps(rules)) {
    for (const [key, before, after] of alterations(current[map], proposed[map])) {
      // 10.7 "For each entry being changed in, or removed from, the `events` or `notifications` properties: If the current
      // value is greater than the `sender`'s current power level, reject."
      if (before !== undefined && before > power) {
        return reject('power_levels.change_entry_above_own', `the level of ${map} ${key} is above the sender's own`);
      }
      // 10.8 "For each entry being added to, or changed in, the `events` or `notifications` properties: If the new value is
      // greater than the `sender`'s current power level, reject."
      if (after !== undefined && after > power) {
        return reject('power_levels.set_entry_above_own', `the level of ${map} ${key} would be above the sender's own`);
      }
    }
  }
  return undefined;
}

function checkUsers(
  current: PowerLevels,
  proposed: PowerLevels,
  power: number,
  sender: string,
): AuthReject | undefined {
  for (const [userId, before, after] of alterations(current.users, proposed.users)) {
    // 10.9 "For each entry being changed in, or removed from, the `users` property, other than the `sender`'s own entry: If
    // the current value is greater than or equal to the `sender`'s current power level, reject."
    if (userId !== sender && before !== undefined && before >= power) {
      return reject('power_levels.change_user_not_below_own', `the level of ${userId} is not below the sender's own`);
    }
    // 10.10 "For each entry being added to, or changed in, the `users` property: If the new value is greater than the
    // `sender`'s current power level, reject."
    if (after !== undefined && after > power) {
      return reject('power_levels.set_user_above_own', `the level of ${userId} would be above the sender's own`);
    }
  }
  return undefined;
}

type Alteration = readonly [key: string, before: number | undefined, after: number | undefined];

function* alterations(
  current: ReadonlyMap<string, number>,
  proposed: ReadonlyMap<string, number>,
): Generator<Alteration> {
  for (const [key, before] of current) {
    const after = proposed.get(key);
    if (after !== before) yield [key, before, after];
  }
  for (const [key, after] of proposed) {
    if (!current.has(key)) yield [key, undefined, after];
  }
}
