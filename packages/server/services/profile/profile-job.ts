import type { AccountJobKind } from '../accounts/account-jobs.ts';
import { changeMembership, membershipOf } from '../rooms/membership/change-membership.ts';
import type { Profiles } from './profiles.ts';

/**
 * > an `m.room.member` event (with a `join` membership) is sent to every room the user is a member of, to update the
 * > `displayname` and `avatar_url`.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#events-on-change-of-profile-information}
 *
 * Only where the person is joined on the very head that the event is put on: it never brings back somebody who left.
 */
export function profileChanges(profiles: Pick<Profiles, 'memberProfile'>): AccountJobKind {
  return {
    memberships: ['join'],
    async prepare(userId) {
      const profile = await profiles.memberProfile(userId);
      return changeMembership({
        sender: userId,
        userId,
        content(current) {
          if (membershipOf(current) !== 'join') return undefined;
          const shown = current?.event.content ?? {};
          if (shown['displayname'] === profile['displayname'] && shown['avatar_url'] === profile['avatar_url']) {
            return undefined;
          }
          return { ...profile, membership: 'join' };
        },
      });
    },
  };
}
