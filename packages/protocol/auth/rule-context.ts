import type { RoomEvent } from '../events/pdu.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { AuthState, IsSignedBy } from './auth-state.ts';
import { namedPowerLevel, userPowerLevel, type LevelName } from './power-levels.ts';

/** What the rules after the first three look at. */
export type RuleContext = {
  readonly rules: RoomVersionRules;
  readonly event: RoomEvent;
  readonly state: AuthState;
  readonly create: RoomEvent;
  /** The room's `m.room.power_levels`, if it has one. */
  readonly powerLevels: RoomEvent | undefined;
  readonly isSignedBy: IsSignedBy | undefined;
};

export function powerOf(context: RuleContext, userId: string): number {
  return userPowerLevel(context.rules, context.create, context.powerLevels, userId);
}

export function levelFor(context: RuleContext, name: LevelName): number {
  return namedPowerLevel(context.rules, context.powerLevels, name);
}
