import type { RoomEvent } from '../events/pdu.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { membershipOf, type AuthState, type IsSignedBy } from './auth-state.ts';
import { allow, reject, type AuthDecision } from './decision.ts';
import { requiredPowerLevel } from './power-levels.ts';
import { powerOf, type RuleContext } from './rule-context.ts';
import { authoriseAliases } from './rules/aliases.ts';
import { authoriseCreate } from './rules/create.ts';
import { checkFederation } from './rules/federation.ts';
import { authoriseMember } from './rules/member.ts';
import { authorisePowerLevels } from './rules/power-levels.ts';
import { authoriseRedaction } from './rules/redaction.ts';
import { findCreate } from './rules/room.ts';
import { authoriseThirdPartyInviteEvent } from './rules/third-party-invite.ts';

/**
 * Whether the room's rules allow an event in this state. The rules stand in the order of the text, numbered here as in
 * room version 12; the one about the event's `auth_events` is `checkAuthEvents`.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authorise(
  rules: RoomVersionRules,
  event: RoomEvent,
  state: AuthState,
  isSignedBy?: IsSignedBy,
): AuthDecision {
  // 1. "If type is `m.room.create`"
  if (event.type === 'm.room.create') return authoriseCreate(rules, event);

  // 2. and 3.4: there is a create event.
  const create = findCreate(rules, event, state);
  if ('rule' in create) return create;

  // 4. "If the `content` of the `m.room.create` event in the room state has the property `m.federate` set to `false`"
  const notFederated = checkFederation(event, create);
  if (notFederated !== undefined) return notFederated;

  // Rule 4 of versions 1 to 5: "If type is `m.room.aliases`"
  if (rules.auth.aliasesSpecialCase && event.type === 'm.room.aliases') return authoriseAliases(event);

  const powerLevels = state.get('m.room.power_levels', '');
  const context: RuleContext = { rules, event, state, create, powerLevels, isSignedBy };

  // 5. "If type is `m.room.member`"
  if (event.type === 'm.room.member') return authoriseMember(context);

  // 6. "If the `sender`'s current membership state is not `join`, reject."
  if (membershipOf(state, event.sender) !== 'join') {
    return reject('sender.not_joined', `${event.sender} is not in the room`);
  }

  // 7. "If type is `m.room.third_party_invite`"
  if (event.type === 'm.room.third_party_invite') return authoriseThirdPartyInviteEvent(context);

  // 8. "If the event type's *required power level* is greater than the `sender`'s power level, reject."
  const isState = event.stateKey !== undefined;
  const required = requiredPowerLevel(rules, powerLevels, event.type, isState);
  const power = powerOf(context, event.sender);
  if (required > power) {
    return reject('power_levels.too_low', `${event.type} needs level ${required}; ${event.sender} has ${power}`);
  }

  // 9. "If the event has a `state_key` that starts with an `@` and does not match the `sender`, reject."
  if (event.stateKey?.startsWith('@') === true && event.stateKey !== event.sender) {
    return reject('state_key.not_sender', 'state under a user ID is for that user to set');
  }

  // 10. "If type is `m.room.power_levels`"
  if (event.type === 'm.room.power_levels') return authorisePowerLevels(context);

  // Rule 11 of versions 1 and 2: "If type is `m.room.redaction`"
  if (rules.auth.redaction === 'domain' && event.type === 'm.room.redaction') return authoriseRedaction(context);

  // 11. "Otherwise, allow."
  return allow;
}
