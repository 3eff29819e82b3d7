import { membershipOf } from '../auth-state.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import { levelFor, powerOf, type RuleContext } from '../rule-context.ts';

/**
 * "If `membership` is `leave`": rule 5.5 of room version 12.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseLeave(context: RuleContext, target: string): AuthDecision {
  const { rules, event, state } = context;
  const membership = membershipOf(state, event.sender);
  // 5.5.1 "If the `sender` matches `state_key`, allow if and only if that user's current membership state is `invite`,
  // `join`, or `knock`." The last since version 7.
  if (event.sender === target) {
    const mayLeave =
      membership === 'invite' || membership === 'join' || (membership === 'knock' && rules.auth.knocking);
    return mayLeave ? allow : reject('leave.not_a_member', `${target} has nothing to leave`);
  }
  // 5.5.2 "If the `sender`'s current membership state is not `join`, reject."
  if (membership !== 'join') return reject('leave.sender_not_joined', `${event.sender} is not in the room`);

  const power = powerOf(context, event.sender);
  // 5.5.3 "If the *target user*'s current membership state is `ban`, and the `sender`'s power level is less than the *ban
  // level*, reject."
  if (membershipOf(state, target) === 'ban' && power < levelFor(context, 'ban')) {
    return reject('leave.unban_power_too_low', `${event.sender} may not lift bans`);
  }
  // 5.5.4 "If the `sender`'s power level is greater than or equal to the *kick level*, and the *target user*'s power level
  // is less than the `sender`'s power level, allow."
  if (power >= levelFor(context, 'kick') && powerOf(context, target) < power) return allow;
  // 5.5.5 "Otherwise, reject."
  return reject('leave.kick_power_too_low', `${event.sender} may not remove ${target}`);
}
