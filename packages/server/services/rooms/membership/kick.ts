import type { Plan } from '../room-writer.ts';
import { changeMembership, membershipOf, refuse, withReason } from './change-membership.ts';

/** Removes someone who is in a room, invited to it or knocking on it. */
export function planKick(sender: string, userId: string, reason: string | undefined): Plan {
  return changeMembership({
    sender,
    userId,
    content(current) {
      const membership = membershipOf(current);
      if (membership === 'leave' || membership === 'ban') refuse(`${userId} is not in the room.`);
      return withReason({ membership: 'leave' }, reason);
    },
  });
}
