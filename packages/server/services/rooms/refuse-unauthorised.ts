import type { AuthReject, RuleCode } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';

/** What an event says that nobody may say, whatever their power. */
const malformed: ReadonlySet<RuleCode> = new Set<RuleCode>([
  'member.malformed',
  'member.unknown_membership',
  'power_levels.level_not_integer',
  'power_levels.entry_not_integer',
  'power_levels.users_malformed',
]);

/**
 * Tells somebody that the rules of the room do not let their event pass. "403: The sender doesn't have permission to send the event",
 * and "400: The sender's request is malformed": who is told the former asks for more power.
 */
export function refuseUnauthorised({ rule, reason }: AuthReject): never {
  throw new MatrixError(malformed.has(rule) ? 'event.malformed' : 'forbidden', { message: reason });
}
