import { allow, reject, type AuthDecision } from '../decision.ts';
import { levelFor, powerOf, type RuleContext } from '../rule-context.ts';
import { domainOf } from '../../ids/identifier.ts';

/**
 * Rule 11 of room versions 1 and 2: "If type is `m.room.redaction`". Later versions ask this when a redaction is applied.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules}
 */
export function authoriseRedaction(context: RuleContext): AuthDecision {
  const { event } = context;
  // 11.1 "If the `sender`'s power level is greater than or equal to the *redact level*, allow."
  if (powerOf(context, event.sender) >= levelFor(context, 'redact')) return allow;
  // 11.2 "If the domain of the `event_id` of the event being redacted is the same as the domain of the `event_id` of the
  // `m.room.redaction`, allow."
  const domain = domainOf(event.eventId);
  if (domain !== undefined && event.redacts !== undefined && domainOf(event.redacts) === domain) return allow;
  // 11.3 "Otherwise, reject."
  return reject('redaction.not_permitted', `${event.sender} may not redact events of other servers`);
}
