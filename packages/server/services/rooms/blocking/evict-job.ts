import { createWriteSet, type Database } from '@portico/storage';
import { readLocals } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { endShutdown } from '@portico/storage/stores/rooms/room-shutdowns.ts';
import type { ClaimedJob, SteppedJobKind } from '../../accounts/account-jobs.ts';
import { delayAfter, mostAttempts, type Evicted, type TakeOut } from './take-out.ts';

/** The job that takes everybody of this server out of a room. */
export const evictJob = 'evict';

export type Eviction = Evicted & {
  readonly reason: string | undefined;
  /** Not said by releases of which jobs may be left over. */
  readonly askedAt?: number;
};

/**
 * How far it is: whoever comes after this person, among those whose turn it is; and whether somebody before could not be taken out, for
 * now or for ever.
 */
type Progress = {
  readonly round: number;
  readonly after: string;
  readonly isMissing: boolean;
  readonly isRefused: boolean;
};

type Dependencies = { readonly db: Database; readonly takeOut: TakeOut; readonly now: () => number };

/**
 * While somebody is in the room, no other server is needed to decline an invitation to it; and while they leave one after the
 * other, people of other servers go on inviting.
 */
const pending = ['invite', 'knock'];
const rounds: readonly (readonly string[])[] = [pending, ['join'], pending];
const atBeginning: Progress = { round: 0, after: '', isMissing: false, isRefused: false };
const peoplePerPage = 100;

/** Each of them leaves, so that the other servers in the room know it. */
export function createEvictJob({ db, takeOut, now }: Dependencies): SteppedJobKind {
  /** One page of people, or as many of them as this turn is long enough for; at least one. `undefined` where the server is ending. */
  async function proceed(progress: Progress, eviction: Eviction, job: ClaimedJob): Promise<Progress | undefined> {
    const page = { after: progress.after, limit: peoplePerPage };
    const people = await readLocals(db, eviction.roomNid, rounds[progress.round] ?? [], page);
    let { after, isMissing, isRefused } = progress;
    for (const userId of people) {
      if (job.isEnding()) return undefined;
      const outcome = await takeOut(userId, eviction, job);
      isMissing ||= outcome === 'failed';
      isRefused ||= outcome === 'refused';
      after = userId;
      if (job.isTurnOver()) return { ...progress, after, isMissing, isRefused };
    }
    if (people.length === peoplePerPage) return { ...progress, after, isMissing, isRefused };
    return { round: progress.round + 1, after: '', isMissing, isRefused };
  }

  async function end({ roomId, askedAt }: Eviction, isComplete: boolean, job: ClaimedJob): Promise<void> {
    if (askedAt === undefined) return;
    const set = createWriteSet();
    job.hold(set);
    endShutdown(set, { roomId, askedAt }, now(), isComplete);
    await db.commit(set);
  }

  return {
    async work(_administrator, job) {
      const { progress: before, ...eviction } = JSON.parse(job.details ?? '{}') as Eviction & { progress?: Progress };
      let progress = before ?? atBeginning;
      while (progress.round < rounds.length) {
        const next = await proceed(progress, eviction, job);
        if (next === undefined) return false;
        progress = next;
        if (job.isTurnOver() && progress.round < rounds.length) {
          return { goOnWith: JSON.stringify({ ...eviction, progress }) };
        }
        await job.renew();
      }
      const { isMissing, isRefused } = progress;
      if (!isMissing || job.attempts >= mostAttempts) {
        await end(eviction, !isMissing && !isRefused, job);
        return true;
      }
      return { againIn: delayAfter(job.attempts), details: JSON.stringify(eviction) };
    },
  };
}
