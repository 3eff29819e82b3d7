import type { Plan } from '../room-writer.ts';
import { changeMembership, membershipOf, refuse, withReason } from './change-membership.ts';

/** Leaves a room, rejects an invitation to it or withdraws a knock; nothing happens if the person has left already. */
export function planLeave(userId: string, reason: string | undefined): Plan {
  return changeMembership({
    sender: userId,
    userId,
    content(current) {
      const membership = membershipOf(current);
      if (current === undefined) refuse('You are not in this room.');
      if (membership === 'ban') refuse('You are banned from this room.');
      if (membership === 'leave') return undefined;
      return withReason({ membership: 'leave' }, reason);
    },
  });
}
