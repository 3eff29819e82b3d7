import type { JsonValue } from '../../json/value.ts';
import { membershipOf, type AuthState } from '../auth-state.ts';
import { roomCreator } from '../creators.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import { levelFor, powerOf, type RuleContext } from '../rule-context.ts';

/**
 * "If `membership` is `join`": rule 5.3 of room version 12.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseJoin(context: RuleContext, target: string): AuthDecision {
  const { rules, event, state, create } = context;

  // 5.3.1 "If the only previous event is an `m.room.create` and the `state_key` is the sender of the `m.room.create`,
  // allow." Until version 10, "the creator".
  const afterCreate = event.prevEvents.length === 1 && event.prevEvents[0] === create.eventId;
  if (afterCreate && target === roomCreator(rules, create)) return allow;

  // 5.3.2 "If the `sender` does not match `state_key`, reject."
  if (event.sender !== target) return reject('member.join_for_another', 'nobody joins on behalf of another');

  const membership = membershipOf(state, event.sender);
  // 5.3.3 "If the `sender` is banned, reject."
  if (membership === 'ban') return reject('member.banned', `${event.sender} is banned`);

  const isMemberOrInvited = membership === 'join' || membership === 'invite';
  switch (joinRuleKind(context, joinRuleOf(state))) {
    case 'invite':
      // 5.3.4 "If the `join_rule` is `invite` or `knock` then allow if membership state is `invite` or `join`."
      if (isMemberOrInvited) return allow;
      return reject('member.join_not_invited', `${event.sender} is not invited`);
    case 'restricted':
      // 5.3.5.1 "If membership state is `join` or `invite`, allow."
      if (isMemberOrInvited) return allow;
      return checkAuthorisingUser(context, event.content['join_authorised_via_users_server']);
    case 'public':
      // 5.3.6 "If the `join_rule` is `public`, allow."
      return allow;
    case 'unknown':
      break;
  }
  // 5.3.7 "Otherwise, reject."
  return reject('member.join_rule', 'the join rule lets nobody in');
}

/**
 * The join rule in force. A room that has none asks for an invitation: the text does not say, and this is what other
 * servers do. A rule that is not a string is none that lets anybody in.
 */
export function joinRuleOf(state: AuthState): string {
  const joinRule = state.get('m.room.join_rules', '')?.content['join_rule'];
  if (joinRule === undefined) return 'invite';
  return typeof joinRule === 'string' ? joinRule : 'private';
}

function joinRuleKind({ rules }: RuleContext, joinRule: string): 'public' | 'invite' | 'restricted' | 'unknown' {
  switch (joinRule) {
    case 'public':
    case 'invite':
      return joinRule;
    case 'knock':
      return rules.auth.knocking ? 'invite' : 'unknown';
    case 'restricted':
      return rules.auth.restrictedJoins ? 'restricted' : 'unknown';
    case 'knock_restricted':
      return rules.auth.knockRestricted ? 'restricted' : 'unknown';
    default:
      return 'unknown';
  }
}

/**
 * 5.3.5.2 "If the `join_authorised_via_users_server` key in `content` is not a user with sufficient permission to invite
 * other users or is not a joined member of the room, reject." 5.3.5.3 "Otherwise, allow."
 */
function checkAuthorisingUser(context: RuleContext, authoriser: JsonValue | undefined): AuthDecision {
  if (
    typeof authoriser === 'string' &&
    membershipOf(context.state, authoriser) === 'join' &&
    powerOf(context, authoriser) >= levelFor(context, 'invite')
  ) {
    return allow;
  }
  return reject('member.join_not_authorised', 'no member who may invite vouches for the join');
}
