import { allow, reject, type AuthDecision } from '../decision.ts';
import { levelFor, powerOf, type RuleContext } from '../rule-context.ts';

/**
 * "If type is `m.room.third_party_invite`: Allow if and only if `sender`'s current power level is greater than or equal to
 * the *invite level*."
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseThirdPartyInviteEvent(context: RuleContext): AuthDecision {
  if (powerOf(context, context.event.sender) >= levelFor(context, 'invite')) return allow;
  return reject('third_party_invite.power_too_low', `${context.event.sender} may not invite`);
}
