import { reject, type AuthDecision } from '../decision.ts';
import type { RuleContext } from '../rule-context.ts';
import { domainOf } from '../../ids/identifier.ts';
import { authoriseBan } from './member-ban.ts';
import { authoriseInvite } from './member-invite.ts';
import { authoriseJoin } from './member-join.ts';
import { authoriseKnock } from './member-knock.ts';
import { authoriseLeave } from './member-leave.ts';

/**
 * "If type is `m.room.member`": rule 5 of room versions 1 to 5 and 12, rule 4 of those between.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseMember(context: RuleContext): AuthDecision {
  const { rules, event, isSignedBy } = context;
  const target = event.stateKey;
  const membership = event.content['membership'];

  // 5.1 "If there is no `state_key` property, or no `membership` property in `content`, reject."
  if (target === undefined || membership === undefined) {
    return reject('member.malformed', 'a membership needs a user and what they are to be');
  }

  // 5.2, since version 8: "If `content` has a `join_authorised_via_users_server` key: If the event is not validly signed
  // by the homeserver of the user ID denoted by the key, reject."
  const authoriser = event.content['join_authorised_via_users_server'];
  if (rules.auth.restrictedJoins && authoriser !== undefined && isSignedBy !== undefined) {
    const server = typeof authoriser === 'string' ? domainOf(authoriser) : undefined;
    if (server === undefined || !isSignedBy(server)) {
      return reject('member.not_signed_by_authoriser', 'the server that authorises the join has not signed it');
    }
  }

  if (membership === 'join') return authoriseJoin(context, target);
  if (membership === 'invite') return authoriseInvite(context, target);
  if (membership === 'leave') return authoriseLeave(context, target);
  if (membership === 'ban') return authoriseBan(context, target);
  if (membership === 'knock' && rules.auth.knocking) return authoriseKnock(context, target);
  // 5.8 "Otherwise, the membership is unknown. Reject."
  return reject('member.unknown_membership', `${JSON.stringify(membership)} is not a membership`);
}
