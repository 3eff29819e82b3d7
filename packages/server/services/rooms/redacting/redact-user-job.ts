import type { Database, WriteSet } from '@portico/storage';
import { listRoomsWithMembership } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { examineEvents } from '@portico/storage/stores/events/events-of-sender.ts';
import { listRedactionTargets, type RedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import { readMembershipsIn } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ClaimedJob, SteppedJobKind } from '../../accounts/account-jobs.ts';
import type { UnreadService } from '../../unread/unread-service.ts';
import { planRedactions } from '../redact.ts';
import type { RoomWriter } from '../room-writer.ts';

/** The job that redacts what somebody has said; an ID follows. */
export const redactUserJob = 'redact-user';

export type UserRedaction = {
  readonly userId: string;
  /** Only in these; in every one that the person was ever in if there are none. Ascending. */
  readonly roomNids: readonly number[];
  readonly reason: string | undefined;
  /** Of the events of a room, the newest so many. */
  readonly limit: number;
  /** Even where the person could do it themself. */
  readonly asAdministrator: boolean;
  readonly progress: RedactionProgress;
};

export type RedactionProgress = {
  /** The room that is next is after this one; or is this one, if there are events of it before some. */
  readonly roomNid: number;
  readonly before: number | undefined;
  /** Events of that room. */
  readonly found: number;
  readonly redacted: number;
  /** Why events could not be redacted, by ID: the first of them. */
  readonly failed: Readonly<Record<string, string>>;
  readonly isDone: boolean;
};

export const redactionBegun: RedactionProgress = {
  roomNid: -1,
  before: undefined,
  found: 0,
  redacted: 0,
  failed: {},
  isDone: false,
};

type Dependencies = {
  readonly db: Database;
  readonly writer: RoomWriter;
  readonly unread: Pick<UnreadService, 'appendRedaction'>;
  readonly now: () => number;
};

const everyMembership = ['join', 'leave', 'ban', 'invite', 'knock'];
const examinedAtOnce = 1000;
/** Redactions in one commit. */
const perCommit = 20;
const mostFailures = 100;
/** For how long one can ask how it went. */
const keptFor = 24 * 60 * 60_000;

export function createRedactUserJob({ db, writer, unread, now }: Dependencies): SteppedJobKind {
  async function nextRoom({ userId, roomNids, progress }: UserRedaction): Promise<number | undefined> {
    const { roomNid: after, before } = progress;
    if (before !== undefined) return after;
    if (roomNids.length > 0) return roomNids.find((nid) => nid > after);
    return (await listRoomsWithMembership(db, userId, everyMembership, { after, limit: 1 }))[0]?.room_nid;
  }

  /** The person themself, who needs no power for it, where they can; the administrator elsewhere. */
  async function actorIn(roomNid: number, administrator: string, redaction: UserRedaction): Promise<string> {
    const { userId, asAdministrator } = redaction;
    if (asAdministrator) return administrator;
    const account = await findAccount(db, userId);
    if (account === undefined || account.deactivated_at !== null) return administrator;
    const membership = (await readMembershipsIn(db, [roomNid], userId)).get(roomNid);
    return membership === 'join' ? userId : administrator;
  }

  /** Why those that are still there could not be redacted. */
  async function redact(
    actor: string,
    roomNid: number,
    eventNids: readonly number[],
    reason: string | undefined,
    job: ClaimedJob,
  ) {
    const failed: [string, string][] = [];
    for (let at = 0; at < eventNids.length; at += perCommit) {
      const some = eventNids.slice(at, at + perCommit);
      let message = `${actor} may not redact it.`;
      try {
        const content = reason === undefined ? {} : { reason };
        const request = { content, alongside: (set: WriteSet) => job.hold(set) };
        const targets = await listRedactionTargets(db, some);
        await writer.append(roomNid, planRedactions(actor, targets, request, { now, unread }));
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        ({ message } = error);
      }
      const left = (await listRedactionTargets(db, some)).filter(
        (target: RedactionTarget) => target.redacted_by === null,
      );
      failed.push(...left.map(({ event_id: eventId }): [string, string] => [eventId, message]));
    }
    return failed;
  }

  /** A page of a room's events. */
  async function proceed(administrator: string, roomNid: number, redaction: UserRedaction, job: ClaimedJob) {
    const { userId, limit, reason, progress } = redaction;
    const before = progress.before ?? Number.MAX_SAFE_INTEGER;
    const found = progress.before === undefined ? 0 : progress.found;
    const examined = await examineEvents(db.long, roomNid, userId, { before, limit: examinedAtOnce });
    const theirs = examined.filter((row) => row.is_theirs === 1).slice(0, limit - found);
    const actor = await actorIn(roomNid, administrator, redaction);
    const failed = await redact(
      actor,
      roomNid,
      theirs.map((row) => row.event_nid),
      reason,
      job,
    );
    const isEnd = examined.length < examinedAtOnce || found + theirs.length >= limit;
    return {
      ...progress,
      roomNid,
      before: isEnd ? undefined : examined.at(-1)?.room_order,
      found: found + theirs.length,
      redacted: progress.redacted + theirs.length - failed.length,
      failed: Object.fromEntries([...Object.entries(progress.failed), ...failed].slice(0, mostFailures)),
    };
  }

  return {
    async work(administrator, job) {
      let redaction = JSON.parse(job.details ?? '{}') as UserRedaction;
      if (redaction.progress.isDone) return true;
      for (;;) {
        if (job.isEnding()) return { goOnWith: JSON.stringify(redaction) };
        const roomNid = await nextRoom(redaction);
        if (roomNid === undefined) break;
        redaction = { ...redaction, progress: await proceed(administrator, roomNid, redaction, job) };
        if (job.isTurnOver()) return { goOnWith: JSON.stringify(redaction) };
        await job.renew();
      }
      const progress = { ...redaction.progress, isDone: true };
      return { againIn: keptFor, details: JSON.stringify({ ...redaction, progress }) };
    },
  };
}
