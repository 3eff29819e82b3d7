import type { SteppedJobKind } from '../accounts/account-jobs.ts';
import {
  quarantinePage,
  type RoomQuarantineDependencies,
  type RoomQuarantineProgress,
} from './room-quarantine-page.ts';

/** The job that quarantines what the events of a room are about; which one follows. */
export const quarantineRoomJob = 'quarantine-room';

export type RoomQuarantine = { readonly roomNid: number; readonly progress: RoomQuarantineProgress };

/** For how long one can ask how it went. */
export const keptFor = 24 * 60 * 60_000;

/** Goes on where a turn, or the process before, has come to. */
export function createQuarantineRoomJob(dependencies: RoomQuarantineDependencies): SteppedJobKind {
  return {
    async work(administrator, job) {
      const { roomNid, progress: before } = JSON.parse(job.details ?? '{}') as RoomQuarantine;
      if (before.isDone) return true;
      let progress = before;
      const toDetails = (): string => JSON.stringify({ roomNid, progress } satisfies RoomQuarantine);
      while (!progress.isDone) {
        if (job.isEnding()) return { goOnWith: toDetails() };
        progress = await quarantinePage(dependencies, { by: administrator, roomNid }, progress, job.hold);
        if (job.isTurnOver() && !progress.isDone) return { goOnWith: toDetails() };
        await job.renew();
      }
      return { againIn: keptFor, details: toDetails() };
    },
  };
}
