import type { Reader } from '@portico/storage';
import { findBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { findMemberEvent } from '@portico/storage/stores/federation/federation-rooms.ts';
import type { SteppedJobKind } from '../../accounts/account-jobs.ts';
import { delayAfter, type Evicted, mostAttempts, type TakeOut } from './take-out.ts';

const outside: ReadonlySet<string> = new Set(['leave', 'ban']);

/** Takes one person out of a blocked room that other servers have let them into, or invited them to. */
export function createTurnAwayJob({ db, takeOut }: { readonly db: Reader; readonly takeOut: TakeOut }): SteppedJobKind {
  return {
    async work(userId, job) {
      const room = JSON.parse(job.details ?? '{}') as Evicted;
      if ((await findBlocked(db, room.roomId)) === undefined) return true;
      const member = await findMemberEvent(db, room.roomId, userId);
      if (member === undefined || outside.has(member.membership)) return true;
      if ((await takeOut(userId, room, job)) !== 'failed' || job.attempts >= mostAttempts) return true;
      return { againIn: delayAfter(job.attempts) };
    },
  };
}
