import { serverNameOf } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RemoteInvite, RemoteRooms } from '../remote-rooms.ts';

/** Invites people of other servers, by way of those. */
export interface InviteElsewhere {
  isElsewhere(userId: string): boolean;
  /** Gives the event's ID. */
  invite(invite: RemoteInvite): Promise<string>;
}

export function createInviteElsewhere(serverName: string, remote: () => RemoteRooms | undefined): InviteElsewhere {
  return {
    isElsewhere: (userId) => remote() !== undefined && serverNameOf(userId) !== serverName,
    async invite(invite) {
      const others = remote();
      if (others === undefined) throw new MatrixError('federation.failed');
      return others.invite({ ...invite, content: { ...invite.content, membership: 'invite' } });
    },
  };
}
