import { membershipOf } from '../auth-state.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import type { RoomVersionRules } from '../../room-versions/rules.ts';
import type { RuleContext } from '../rule-context.ts';
import { joinRuleOf } from './member-join.ts';

/**
 * "If `membership` is `knock`": rule 5.7 of room version 12, there since version 7.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseKnock({ rules, event, state }: RuleContext, target: string): AuthDecision {
  // 5.7.1 "If the `join_rule` is anything other than `knock` or `knock_restricted`, reject."
  if (!takesKnocks(rules, joinRuleOf(state))) return reject('knock.join_rule', 'the room takes no knocks');
  // 5.7.2 "If `sender` does not match `state_key`, reject."
  if (event.sender !== target) return reject('knock.for_another', 'nobody knocks on behalf of another');
  // 5.7.3 "If the `sender`'s current membership is not `ban`, `invite`, or `join`, allow."
  const membership = membershipOf(state, event.sender);
  if (membership !== 'ban' && membership !== 'invite' && membership !== 'join') return allow;
  // 5.7.4 "Otherwise, reject."
  return reject('knock.already_member_or_banned', `${event.sender} is banned, invited or in the room`);
}

/** Whether people may knock under a join rule: under `knock` since version 7, under `knock_restricted` since 10. */
export function takesKnocks({ auth }: RoomVersionRules, joinRule: string): boolean {
  return (joinRule === 'knock' && auth.knocking) || (joinRule === 'knock_restricted' && auth.knockRestricted);
}
