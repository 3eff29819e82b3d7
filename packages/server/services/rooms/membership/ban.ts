import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Plan } from '../room-writer.ts';
import { changeMembership, membershipOf, withReason } from './change-membership.ts';

/** Bans a person, in the room or not. */
export function planBan(sender: string, userId: string, reason: string | undefined): Plan {
  return changeMembership({
    sender,
    userId,
    content: () => withReason({ membership: 'ban' }, reason),
  });
}

/** Lifts a ban; the person may then be invited, or join, as the room's rules say. */
export function planUnban(sender: string, userId: string, reason: string | undefined): Plan {
  return changeMembership({
    sender,
    userId,
    content(current) {
      if (membershipOf(current) !== 'ban') {
        throw new MatrixError('member.not-banned', { message: `${userId} is not banned from the room.` });
      }
      return withReason({ membership: 'leave' }, reason);
    },
  });
}
