import { isUserId, serverNameOf } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { addReport, countReports, type Report } from '@portico/storage/stores/rooms/reports.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ReadingContext } from '../reading/context.ts';
import { getVisibleEvent } from '../reading/one-event.ts';

/** What people report to the administrators. {@link https://spec.matrix.org/v1.19/client-server-api/#reporting-content} */
export interface Reports {
  reportEvent(reporter: string, roomId: string, eventId: string, reason: string): Promise<void>;
  reportRoom(reporter: string, roomId: string, reason: string): Promise<void>;
  /** Says nothing about whether there is such a person. */
  reportUser(reporter: string, userId: string, reason: string): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly reading: ReadingContext;
  readonly serverName: string;
  readonly now: () => number;
};

const maxReasonBytes = 4096;
const maxPerReporter = 1000;

export function createReports({ db, reading, serverName, now }: Dependencies): Reports {
  async function keep(report: Omit<Report, 'reportNid' | 'receivedAt'>): Promise<void> {
    if ((await countReports(db, report.reporter, maxPerReporter)) >= maxPerReporter) {
      throw new MatrixError('report.too-many');
    }
    const set = createWriteSet();
    addReport(set, { ...report, reportNid: await db.reserveIds('report', 1), receivedAt: now() });
    await db.commit(set);
  }

  return {
    async reportEvent(reporter, roomId, eventId, reason) {
      checkReason(reason);
      const access = await reading.access.find(reporter, roomId);
      // "The event was not found or you are not joined to the room where the event resides."
      if (access?.as !== 'joined') throw new MatrixError('event.not-found');
      // Administrators get to read what is reported: nobody shows them what they may not see themselves.
      await getVisibleEvent(reading, access, eventId);
      await keep({ kind: 'event', reporter, roomId, subject: eventId, reason });
    },
    async reportRoom(reporter, roomId, reason) {
      checkReason(reason);
      if ((await reading.rooms.find(roomId)) === undefined) throw new MatrixError('room.not-found');
      await keep({ kind: 'room', reporter, roomId, subject: '', reason });
    },
    async reportUser(reporter, userId, reason) {
      checkReason(reason);
      if (!isUserId(userId)) throw new MatrixError('request.invalid-param', { message: 'This is not a user ID.' });
      if (serverNameOf(userId) === serverName && (await findAccount(db, userId)) === undefined) return;
      await keep({ kind: 'user', reporter, roomId: '', subject: userId, reason });
    },
  };
}

function checkReason(reason: string): void {
  if (Buffer.byteLength(reason) <= maxReasonBytes) return;
  throw new MatrixError('request.too-large', { message: `A reason has at most ${maxReasonBytes} bytes.` });
}
