import type { JsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findErasureRequest } from '@portico/storage/stores/privacy/erasures.ts';
import { changeMembership, membershipOf } from '../rooms/membership/change-membership.ts';
import type { RemoteRooms } from '../rooms/remote-rooms.ts';
import type { RoomsJobKind } from './account-jobs.ts';
import { startTellingLeave } from './tell-leave-job.ts';

/** The job that erases what is kept of a deactivated account, once it has left. */
export const eraseJob = 'erase';

/** As often is tried again where a policy server does not answer: it may be back in a few minutes. */
const patienceWithPolicyServers = 8;

type Dependencies = {
  readonly db: Database;
  readonly departure: JsonObject;
  readonly remote: () => RemoteRooms | undefined;
  readonly now: () => number;
};

/**
 * The content of the leaves of people whose account has ended. They say why, and nothing else about the person.
 *
 * > Any `m.room.member` event, sent to a room with a `membership` of `leave` on behalf of a deactivation should include a new
 * > boolean field.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3759}
 */
export function departureContent({ stableMarker }: { readonly stableMarker: boolean }): JsonObject {
  return {
    membership: 'leave',
    'org.matrix.msc3759.deactivated': true,
    ...(stableMarker && { 'm.deactivated': true }),
  };
}

/** Every room is left, every invitation rejected and every knock withdrawn, where need be by way of other servers. */
export function leaveRooms({ db, departure, remote, now }: Dependencies): RoomsJobKind {
  return {
    memberships: ['join', 'invite', 'knock'],
    async prepare(userId, _details, attempts) {
      const plan = changeMembership({
        sender: userId,
        userId,
        content(current) {
          const membership = membershipOf(current);
          return membership === 'leave' || membership === 'ban' ? undefined : departure;
        },
      });
      return {
        ...plan,
        // Nobody is held in a room by whoever names a policy server for it.
        goesUnsigned: attempts < patienceWithPolicyServers ? 'if-refused' : 'if-not-signed',
        async elsewhere(roomId) {
          const servers = remote();
          if (servers === undefined || !(await servers.isAway(roomId))) return false;
          await servers.leave(userId, roomId, departure, (untold) => startTellingLeave(db, now, userId, untold));
          return true;
        },
      };
    },
    next: async (userId) => ((await findErasureRequest(db, userId)) === undefined ? undefined : eraseJob),
  };
}
