import type { RoomEvent } from '../events/pdu.ts';
import { serverNameOf } from '../ids/user-id.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { type AuthState, createEventOf } from './auth-state.ts';
import { namedPowerLevel, userPowerLevel } from './power-levels.ts';

/**
 * Whether somebody may redact what people of other servers have sent, where this is the room's state: "The power level of the
 * redaction event's sender is greater than or equal to the redact level."
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions}
 */
export function hasRedactionPower(rules: RoomVersionRules, state: AuthState, sender: string): boolean {
  const powerLevels = state.get('m.room.power_levels', '');
  const power = userPowerLevel(rules, createEventOf(state), powerLevels, sender);
  return power >= namedPowerLevel(rules, powerLevels, 'redact');
}

/**
 * Whether a redaction redacts an event of its room: by its sender's power, which was judged when it came, or since "the domain of
 * the redaction event's sender matches that of the original event's sender". A create event is never redacted: it would be
 * another room.
 */
export function mayRedact(
  redaction: Pick<RoomEvent, 'sender'>,
  target: Pick<RoomEvent, 'type' | 'sender'>,
  hasPower: boolean,
): boolean {
  if (target.type === 'm.room.create') return false;
  return hasPower || serverNameOf(redaction.sender) === serverNameOf(target.sender);
}
