import { membershipOf } from '../auth-state.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import { levelFor, powerOf, type RuleContext } from '../rule-context.ts';
import { authoriseThirdPartyInvite } from './member-third-party-invite.ts';

/**
 * "If `membership` is `invite`": rule 5.4 of room version 12.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseInvite(context: RuleContext, target: string): AuthDecision {
  const { event, state } = context;
  // 5.4.1 "If `content` has a `third_party_invite` property"
  const thirdPartyInvite = event.content['third_party_invite'];
  if (thirdPartyInvite !== undefined) return authoriseThirdPartyInvite(context, target, thirdPartyInvite);

  // 5.4.2 "If the `sender`'s current membership state is not `join`, reject."
  if (membershipOf(state, event.sender) !== 'join') {
    return reject('invite.sender_not_joined', `${event.sender} is not in the room`);
  }
  // 5.4.3 "If *target user*'s current membership state is `join` or `ban`, reject."
  const membership = membershipOf(state, target);
  if (membership === 'join' || membership === 'ban') {
    return reject('invite.target_joined_or_banned', `${target} is ${membership === 'ban' ? 'banned' : 'in the room'}`);
  }
  // 5.4.4 "If the `sender`'s power level is greater than or equal to the *invite level*, allow."
  if (powerOf(context, event.sender) >= levelFor(context, 'invite')) return allow;
  // 5.4.5 "Otherwise, reject."
  return reject('invite.power_too_low', `${event.sender} may not invite`);
}
