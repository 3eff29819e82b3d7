import { membershipOf } from '../auth-state.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import { levelFor, powerOf, type RuleContext } from '../rule-context.ts';

/**
 * "If `membership` is `ban`": rule 5.6 of room version 12.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseBan(context: RuleContext, target: string): AuthDecision {
  const { event, state } = context;
  // 5.6.1 "If the `sender`'s current membership state is not `join`, reject."
  if (membershipOf(state, event.sender) !== 'join') {
    return reject('ban.sender_not_joined', `${event.sender} is not in the room`);
  }
  // 5.6.2 "If the `sender`'s power level is greater than or equal to the *ban level*, and the *target user*'s power level
  // is less than the `sender`'s power level, allow."
  const power = powerOf(context, event.sender);
  if (power >= levelFor(context, 'ban') && powerOf(context, target) < power) return allow;
  // 5.6.3 "Otherwise, reject."
  return reject('ban.power_too_low', `${event.sender} may not ban ${target}`);
}
