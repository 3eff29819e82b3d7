import type { Reader } from '@portico/storage';
import { findMemberEvent } from '@portico/storage/stores/federation/federation-rooms.ts';
import type { RoomsJobKind } from '../accounts/account-jobs.ts';
import { changeMembership, membershipOf } from '../rooms/membership/change-membership.ts';
import type { RemoteRooms } from '../rooms/remote-rooms.ts';
import { compileChoice, parseChoice } from './invite-choice.ts';
import type { InviteRules } from './invite-rules.ts';

/** The job that declines many invitations of somebody. */
export const rejectInvitesJob = 'reject-invites';

type Dependencies = {
  readonly db: Reader;
  readonly inviteRules: InviteRules;
  readonly remote: () => RemoteRooms | undefined;
};

/** Declines every invitation that was meant: those that were there when it was asked for, and those that come meanwhile. */
export function rejectInvites({ db, inviteRules, remote }: Dependencies): RoomsJobKind {
  return {
    memberships: ['invite'],
    async prepare(userId, details) {
      const choice = parseChoice(details ?? '{}');
      const isChosen = compileChoice(choice);
      const plan = changeMembership({
        sender: userId,
        userId,
        content: (current) => (membershipOf(current) === 'invite' ? { membership: 'leave' } : undefined),
      });
      return {
        ...plan,
        async elsewhere(roomId) {
          const member = await findMemberEvent(db, roomId, userId);
          if (member?.membership !== 'invite' || !isChosen({ roomId, inviter: member.sender })) return true;
          if (choice.include_hidden !== true && !(await inviteRules.isVisible(member.sender, userId))) return true;
          const servers = remote();
          if (servers === undefined || !(await servers.isAway(roomId))) return false;
          await servers.leave(userId, roomId, {});
          return true;
        },
      };
    },
  };
}
