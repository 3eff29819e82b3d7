import type { JsonObject } from '@portico/protocol';
import type { Plan } from '../room-writer.ts';
import { changeMembership, membershipOf, refuse, withReason } from './change-membership.ts';

/** Invites a person, under their own profile as far as the server knows it. */
export function planInvite(sender: string, userId: string, profile: JsonObject, reason: string | undefined): Plan {
  return changeMembership({
    sender,
    userId,
    content(current) {
      const membership = membershipOf(current);
      if (membership === 'join') refuse(`${userId} is already in the room.`);
      if (membership === 'ban') refuse(`${userId} is banned from the room.`);
      return withReason({ ...profile, membership: 'invite' }, reason);
    },
  });
}
