import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ClaimedJob } from '../../accounts/account-jobs.ts';
import { isGuardFailure } from '../../accounts/guards.ts';
import { withReason } from '../membership/change-membership.ts';
import { planLeave } from '../membership/leave.ts';
import type { RemoteRooms } from '../remote-rooms.ts';
import type { RoomWriter } from '../room-writer.ts';

export type Evicted = { readonly roomNid: number; readonly roomId: string; readonly reason?: string | undefined };

/** `refused` by the room's own rules, which will go on refusing it; `failed` for now. */
export type TakenOut = 'done' | 'refused' | 'failed';

/** Lets somebody of this server leave a room. */
export type TakeOut = (userId: string, room: Evicted, job: ClaimedJob) => Promise<TakenOut>;

type Dependencies = {
  readonly writer: RoomWriter;
  /** Where this server is not in the room: invitations are declined and knocks withdrawn by way of others. */
  readonly remote: () => RemoteRooms | undefined;
  readonly log: { warn(details: object, message: string): void };
};

const firstDelay = 10_000;
const longestDelay = 60 * 60 * 1000;
/** What a room refuses this often it will go on refusing. */
export const mostAttempts = 12;

/** After how many milliseconds to try once more. */
export function delayAfter(attempts: number): number {
  return Math.min(longestDelay, firstDelay * 2 ** attempts);
}

export function createTakeOut({ writer, remote, log }: Dependencies): TakeOut {
  return async (userId, { roomNid, roomId, reason }, job) => {
    try {
      const servers = remote();
      if (servers !== undefined && (await servers.isAway(roomId))) {
        // Other servers may take their time.
        await job.renew();
        await servers.leave(userId, roomId, withReason({}, reason));
      } else {
        await writer.append(roomNid, { ...planLeave(userId, reason), alongside: (set) => job.hold(set) });
      }
      return 'done';
    } catch (error) {
      if (isGuardFailure(error, 'account-job.lost')) throw error;
      log.warn({ err: error, userId, roomId }, 'Somebody could not be taken out of a room');
      return error instanceof MatrixError && error.reason === 'forbidden' ? 'refused' : 'failed';
    }
  };
}
