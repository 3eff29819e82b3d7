import { createWriteSet } from '@portico/storage';
import {
  findJobDetails,
  listAccountJobKinds,
  startAccountJob,
} from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { readRoomNids } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { keptFor, quarantineRoomJob, type RoomQuarantine } from './quarantine-room-job.ts';
import {
  quarantineBegun,
  quarantinePage,
  type RoomQuarantineDependencies,
  type RoomQuarantineProgress,
} from './room-quarantine-page.ts';

/** Quarantining what the events of a room are about, in rooms whose events can be read. */
export interface RoomQuarantines {
  /**
   * Goes through the newest events of a room, and through the others in the background. Answers how far that is; if it is under way
   * already, it is not begun once more. Throws `room.not-found`.
   */
  begin(administrator: string, roomId: string): Promise<RoomQuarantineProgress>;
  /** Throws `not-found` for what the same administrator has not begun, or what was done more than a day ago. */
  find(administrator: string, roomId: string): Promise<RoomQuarantineProgress>;
}

type Dependencies = RoomQuarantineDependencies & {
  /** After how many events the rest is left to the background. */
  readonly mostAtOnce?: number;
};

/** Of one administrator, with those that were done within a day. */
const mostJobs = 1000;

export function createRoomQuarantines(dependencies: Dependencies): RoomQuarantines {
  const { db, now, mostAtOnce = 20_000 } = dependencies;

  async function findProgress(administrator: string, roomId: string): Promise<RoomQuarantineProgress | undefined> {
    const details = await findJobDetails(db, administrator, `${quarantineRoomJob} ${roomId}`);
    return details === undefined ? undefined : (JSON.parse(details) as RoomQuarantine).progress;
  }

  return {
    async begin(administrator, roomId) {
      const roomNid = (await readRoomNids(db, [roomId])).get(roomId);
      if (roomNid === undefined) throw new MatrixError('room.not-found');
      const underWay = await findProgress(administrator, roomId);
      if (underWay?.isDone === false) return underWay;
      if ((await listAccountJobKinds(db, administrator)).length >= mostJobs) {
        throw new MatrixError('request.limit-exceeded', { fields: { retry_after_ms: 60_000 } });
      }
      let progress = quarantineBegun;
      while (!progress.isDone && progress.examined < mostAtOnce) {
        progress = await quarantinePage(dependencies, { by: administrator, roomNid }, progress);
      }
      const dueAt = progress.isDone ? now() + keptFor : now();
      const details: RoomQuarantine = { roomNid, progress };
      const set = createWriteSet();
      startAccountJob(set, administrator, `${quarantineRoomJob} ${roomId}`, dueAt, JSON.stringify(details));
      await db.commit(set);
      return progress;
    },
    async find(administrator, roomId) {
      const progress = await findProgress(administrator, roomId);
      if (progress === undefined) throw new MatrixError('not-found');
      return progress;
    },
  };
}
