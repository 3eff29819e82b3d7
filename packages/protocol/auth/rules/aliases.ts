import type { RoomEvent } from '../../events/pdu.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import { domainOf } from '../../ids/identifier.ts';

/**
 * Rule 4 of room versions 1 to 5: "If type is `m.room.aliases`".
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules}
 */
export function authoriseAliases(event: RoomEvent): AuthDecision {
  // 4.1 "If event has no `state_key`, reject."
  if (event.stateKey === undefined) return reject('aliases.no_state_key', 'room aliases are state');
  // 4.2 "If sender's domain doesn't match `state_key`, reject."
  if (domainOf(event.sender) !== event.stateKey) {
    return reject('aliases.wrong_domain', 'a server sets no aliases but its own');
  }
  // 4.3 "Otherwise, allow."
  return allow;
}
