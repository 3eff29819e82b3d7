import { createWriteSet, type Database } from '@portico/storage';
import { erasureSteps } from '@portico/storage/stores/privacy/erasure-steps.ts';
import { findErasure, reportErasure } from '@portico/storage/stores/privacy/erasures.ts';
import type { RemoveMediaOf } from '../media/remove-media.ts';
import { readReport } from '../privacy/erasures.ts';
import type { ClaimedJob, SteppedJobKind } from './account-jobs.ts';

type Dependencies = {
  readonly db: Database;
  readonly removeMedia: RemoveMediaOf;
  readonly now: () => number;
  readonly log: { info(details: object, message: string): void };
};

/** So many rows are erased with one commit. */
const atOnce = 500;
/** What was under way when the account ended, a slow request for instance, has long come to its end by then. */
const onceMoreAfter = 15 * 60_000;

/**
 * Erases what is kept of somebody, file by file and row by row, and keeps an account of how much. A while later it looks once
 * more, for what may have come after that. What they said in rooms stays there for those who were in the room with them, and
 * nobody else: see `canSeeEvent`.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate} (`erase`)
 */
export function createEraseJob({ db, removeMedia, now, log }: Dependencies): SteppedJobKind {
  return {
    async work(userId, job) {
      const erasure = await findErasure(db, userId);
      if (erasure === undefined) return true;
      const report = new Map(Object.entries(readReport(erasure.report)));
      const isDone = await work(userId, job, report);
      const set = createWriteSet();
      job.hold(set);
      reportErasure(
        set,
        userId,
        isDone ? now() : (erasure.finished_at ?? undefined),
        JSON.stringify(Object.fromEntries(report)),
      );
      await db.commit(set);
      if (!isDone) return false;
      log.info({ userId, erased: Object.fromEntries(report) }, 'Erased what was kept of an account');
      return job.attempts > 0 || { againIn: onceMoreAfter };
    },
  };

  async function work(userId: string, job: ClaimedJob, report: Map<string, number>): Promise<boolean> {
    const count = (what: string, more: number) => report.set(what, (report.get(what) ?? 0) + more);
    for (;;) {
      if (job.isEnding()) return false;
      const removed = await removeMedia(userId, job.hold);
      count('media', removed);
      if (removed === 0) break;
      await job.renew();
    }
    for (const { what, statement } of erasureSteps) {
      for (;;) {
        if (job.isEnding()) return false;
        const set = createWriteSet();
        job.hold(set);
        set.returning(statement, [userId, atOnce]);
        const { returned } = await db.commit(set);
        const erased = returned[0]?.length ?? 0;
        count(what, erased);
        if (erased < atOnce) break;
        await job.renew();
      }
    }
    return true;
  }
}
