import { isUserId } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import {
  findJobDetails,
  listAccountJobKinds,
  startAccountJob,
} from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { readRoomNids } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { redactionBegun, type RedactionProgress, redactUserJob, type UserRedaction } from './redact-user-job.ts';

/** Redacting what somebody has said, in the background. */
export interface UserRedactions {
  /** Gives an ID to ask by how it goes. Throws `room.not-found` for a room that is not known here. */
  begin(
    administrator: string,
    userId: string,
    options: {
      readonly rooms: readonly string[];
      readonly reason: string | undefined;
      readonly limit: number;
      readonly asAdministrator: boolean;
    },
  ): Promise<string>;
  /** Throws `not-found` for what the same administrator has not begun, or what was done more than a day ago. */
  find(administrator: string, redactId: string): Promise<RedactionProgress>;
}

type Dependencies = { readonly db: Database; readonly now: () => number; readonly randomId: () => string };

/** Of one administrator, with those that were done within a day. */
const mostJobs = 1000;

export function createUserRedactions({ db, now, randomId }: Dependencies): UserRedactions {
  return {
    async begin(administrator, userId, { rooms, reason, limit, asAdministrator }) {
      if (!isUserId(userId)) throw new MatrixError('request.invalid-param', { message: 'This is not a user ID.' });
      const nids = await readRoomNids(db, rooms);
      if (rooms.some((roomId) => !nids.has(roomId))) throw new MatrixError('room.not-found');
      if ((await listAccountJobKinds(db, administrator)).length >= mostJobs) {
        throw new MatrixError('request.limit-exceeded', { fields: { retry_after_ms: 60_000 } });
      }
      const roomNids = [...new Set(nids.values())].toSorted((a, b) => a - b);
      const redaction: UserRedaction = { userId, roomNids, reason, limit, asAdministrator, progress: redactionBegun };
      const redactId = randomId();
      const set = createWriteSet();
      startAccountJob(set, administrator, `${redactUserJob} ${redactId}`, now(), JSON.stringify(redaction));
      await db.commit(set);
      return redactId;
    },
    async find(administrator, redactId) {
      const details = await findJobDetails(db, administrator, `${redactUserJob} ${redactId}`);
      if (details === undefined) throw new MatrixError('not-found');
      return (JSON.parse(details) as UserRedaction).progress;
    },
  };
}
