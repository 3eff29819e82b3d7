import { changeMembership, membershipOf } from '../rooms/membership/change-membership.ts';
import type { AccountJobKind } from './account-jobs.ts';

/**
 * Leaves every room, rejects every invitation and withdraws every knock of a deactivated account, saying why and nothing
 * else about the person.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3759}
 */
export const leaveRooms: AccountJobKind = {
  memberships: ['join', 'invite', 'knock'],
  async prepare(userId) {
    return changeMembership({
      sender: userId,
      userId,
      content(current) {
        const membership = membershipOf(current);
        if (membership === 'leave' || membership === 'ban') return undefined;
        return { membership: 'leave', 'org.matrix.msc3759.deactivated': true };
      },
    });
  },
};
