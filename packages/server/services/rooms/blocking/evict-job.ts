import type { Reader } from '@portico/storage';
import { readLocals } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ClaimedJob, SteppedJobKind } from '../../accounts/account-jobs.ts';
import { isGuardFailure } from '../../accounts/guards.ts';
import { withReason } from '../membership/change-membership.ts';
import { planLeave } from '../membership/leave.ts';
import type { RemoteRooms } from '../remote-rooms.ts';
import type { RoomWriter } from '../room-writer.ts';

/** The job that takes everybody of this server out of a room. */
export const evictJob = 'evict';

export type Eviction = { readonly roomNid: number; readonly roomId: string; readonly reason: string | undefined };

type Dependencies = {
  readonly db: Reader;
  readonly writer: RoomWriter;
  /** Where this server is not in the room: invitations are declined and knocks withdrawn by way of others. */
  readonly remote: () => RemoteRooms | undefined;
  readonly log: { warn(details: object, message: string): void };
};

/**
 * While somebody is in the room, no other server is needed to decline an invitation to it; and while they leave one after the
 * other, people of other servers go on inviting.
 */
const pending = ['invite', 'knock'];
const inOrder: readonly (readonly string[])[] = [pending, ['join'], pending];
const peoplePerPage = 100;
const firstDelay = 10_000;
const longestDelay = 60 * 60 * 1000;
/** What a room refuses this often it will go on refusing. */
const mostAttempts = 12;

/** Each of them leaves, so that the other servers in the room know it. */
export function createEvictJob({ db, writer, remote, log }: Dependencies): SteppedJobKind {
  async function takeOut(userId: string, eviction: Eviction, job: ClaimedJob): Promise<boolean> {
    const { roomNid, roomId, reason } = eviction;
    try {
      const servers = remote();
      if (servers !== undefined && (await servers.isAway(roomId))) {
        // Other servers may take their time.
        await job.renew();
        await servers.leave(userId, roomId, withReason({}, reason));
      } else {
        await writer.append(roomNid, { ...planLeave(userId, reason), alongside: (set) => job.hold(set) });
      }
      return true;
    } catch (error) {
      if (isGuardFailure(error, 'account-job.lost')) throw error;
      log.warn({ err: error, userId, roomId }, 'Somebody could not be taken out of a room that is shut down');
      return error instanceof MatrixError && error.reason === 'forbidden';
    }
  }

  /** Answers whether all of them are out. */
  async function takeAllOut(memberships: readonly string[], eviction: Eviction, job: ClaimedJob): Promise<boolean> {
    let isDone = true;
    for (let after = ''; ;) {
      const people = await readLocals(db, eviction.roomNid, memberships, { after, limit: peoplePerPage });
      for (const userId of people) {
        if (job.isEnding()) return false;
        isDone = (await takeOut(userId, eviction, job)) && isDone;
      }
      after = people.at(-1) ?? '';
      if (people.length < peoplePerPage) return isDone;
      await job.renew();
    }
  }

  return {
    async work(_administrator, job) {
      const eviction = JSON.parse(job.details ?? '{}') as Eviction;
      let isDone = true;
      for (const memberships of inOrder) isDone = (await takeAllOut(memberships, eviction, job)) && isDone;
      if (job.isEnding()) return false;
      if (isDone || job.attempts >= mostAttempts) return true;
      return { againIn: Math.min(longestDelay, firstDelay * 2 ** job.attempts) };
    },
  };
}
