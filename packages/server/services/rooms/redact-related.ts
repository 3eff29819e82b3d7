import type { JsonObject } from '@portico/protocol';
import type { Database, Reader, WriteSet } from '@portico/storage';
import { listAccountJobKinds, startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { listRedactionTargets } from '@portico/storage/stores/events/redactions.ts';
import { readRelatedByTypes } from '@portico/storage/stores/events/relations-read.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ClaimedJob, SteppedJobKind } from '../accounts/account-jobs.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { planRedactions } from './redact.ts';
import type { RoomWriter } from './room-writer.ts';

/** The job that redacts what relates to an event which its sender has redacted. */
export const redactRelatedJob = 'redact-related';

export type RelatedRedactions = {
  readonly roomNid: number;
  readonly eventId: string;
  /** `*` among them is any type. */
  readonly relTypes: readonly string[];
  /** Of the redactions, without what they redact. */
  readonly content: JsonObject;
  /** Whether other people's events are left alone, whatever the power. */
  readonly ownOnly: boolean;
};

/** Of one person, at the same time. */
const mostJobs = 1000;
/** Redactions in one commit. */
const atOnce = 20;
/**
 * What other servers have sent already may still be on its way: it is looked for again after these times, in milliseconds.
 */
const lookAgain = [30_000, 5 * 60_000, 60 * 60_000];

/**
 * What is to be committed with a redaction so that the job follows from it, whatever happens in between. Throws
 * `request.limit-exceeded` if too many of the person's are under way.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3912}
 */
export async function prepareRelatedRedactions(
  reader: Reader,
  userId: string,
  related: RelatedRedactions,
  now: number,
): Promise<(set: WriteSet) => void> {
  const kinds = await listAccountJobKinds(reader, userId);
  if (kinds.length >= mostJobs) throw new MatrixError('request.limit-exceeded', { fields: { retry_after_ms: 60_000 } });
  const details = JSON.stringify(related);
  return (set) => startAccountJob(set, userId, `${redactRelatedJob} ${related.eventId}`, now, details);
}

type Dependencies = {
  readonly db: Database;
  readonly writer: RoomWriter;
  readonly unread: Pick<UnreadService, 'appendRedaction'>;
  readonly now: () => number;
};

/** Redacts what relates to the event directly, as far as the person may; what they may not redact stays. */
export function createRedactRelatedJob({ db, writer, unread, now }: Dependencies): SteppedJobKind {
  /** Answers whether nothing is left to do. */
  async function redactAll(userId: string, job: ClaimedJob, related: RelatedRedactions): Promise<boolean> {
    const { roomNid, eventId: targetId, content, ownOnly } = related;
    const relTypes = related.relTypes.includes('*') ? undefined : related.relTypes;
    for (let after = Number.MIN_SAFE_INTEGER; ;) {
      if (job.isEnding()) return false;
      const found = await readRelatedByTypes(db, { roomNid, targetId, relTypes }, { after, limit: atOnce });
      const last = found.at(-1);
      if (last === undefined) return true;
      const targets = await listRedactionTargets(
        db,
        found.map(({ event_nid: eventNid }) => eventNid),
      );
      const meant = ownOnly ? targets.filter(({ sender }) => sender === userId) : targets;
      const request = { content, alongside: (set: WriteSet) => job.hold(set) };
      await writer.append(roomNid, planRedactions(userId, meant, request, { now, unread }));
      await job.renew();
      after = last.room_order;
    }
  }

  return {
    async work(userId, job) {
      try {
        if (!(await redactAll(userId, job, JSON.parse(job.details ?? '{}') as RelatedRedactions))) return false;
      } catch (error) {
        // Who has left the room redacts nothing there any more.
        if (error instanceof MatrixError) return true;
        throw error;
      }
      const againIn = lookAgain[job.attempts];
      return againIn === undefined ? true : { againIn };
    },
  };
}
