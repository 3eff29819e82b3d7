import type { JsonObject } from '@portico/protocol';
import type { Plan } from '../room-writer.ts';
import { changeMembership, membershipOf, refuse, withReason } from './change-membership.ts';

/**
 * Asks to be let in. Knocking again is allowed.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#knocking-on-rooms}
 */
export function planKnock(userId: string, profile: JsonObject, reason: string | undefined): Plan {
  return changeMembership({
    sender: userId,
    userId,
    content(current, { head }) {
      if (!head.rules.auth.knocking) refuse(`Rooms of version ${head.rules.version} cannot be knocked on.`);
      const membership = membershipOf(current);
      if (membership === 'join') refuse('You are in this room already.');
      if (membership === 'invite') refuse('You are invited to this room already.');
      return withReason({ ...profile, membership: 'knock' }, reason);
    },
  });
}
