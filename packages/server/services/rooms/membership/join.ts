import type { JsonObject } from '@portico/protocol';
import type { Plan } from '../room-writer.ts';
import { changeMembership, membershipOf, withReason } from './change-membership.ts';

/** Joins a person; nothing happens if they are in the room under the same profile. */
export function planJoin(userId: string, profile: JsonObject, reason: string | undefined): Plan {
  return changeMembership({
    sender: userId,
    userId,
    content(current) {
      if (membershipOf(current) === 'join') return undefined;
      return withReason({ ...profile, membership: 'join' }, reason);
    },
  });
}
