import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  type AccountJobRow,
  advanceAccountJob,
  claimAccountJob,
  findNextAccountJob,
  finishAccountJob,
  holdAccountJob,
  type JobRoomRow,
  listDueAccountJobs,
  listRoomsWithMembership,
  postponeAccountJob,
  releaseAccountJobs,
  startAccountJob,
} from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ErrorReason } from '../../errors/table.ts';
import type { Plan, RoomWriter } from '../rooms/room-writer.ts';
import { isGuardFailure } from './guards.ts';

/** What is to happen in each room. The plan may find that there is nothing to do in a room. */
export type RoomWork = Plan & {
  /** Does it by way of other servers, where this one is not in the room; `false` if it is. */
  readonly elsewhere?: (roomId: string) => Promise<boolean>;
};

/** What a kind of job does in each room of a person. */
export type RoomsJobKind = {
  /** In which rooms: those where the person's membership is one of these. */
  readonly memberships: readonly string[];
  /** Called once the job is claimed. `attempts` says how often some room has failed before. */
  prepare(userId: string, details: string | null, attempts: number): Promise<RoomWork>;
  /** The kind of job that is to follow, if any: when all rooms are done, and before that when some have failed for the first time. */
  readonly next?: (userId: string) => Promise<string | undefined>;
};

/** What a job that is no matter of rooms may do with its claim. */
export type ClaimedJob = {
  readonly details: string | null;
  /** How often it has been done before. */
  readonly attempts: number;
  /** What is committed with this is not written if the claim is lost. */
  hold(set: WriteSet): void;
  /** Keeps the claim for longer. */
  renew(): Promise<void>;
  /** Whether the server is ending: stop, to go on with the next start. */
  isEnding(): boolean;
  /** Whether it has been at work for so long that it is the turn of others, if there are any. */
  isTurnOver(): boolean;
};

/** A job that is done in steps of its own: it begins anew after an interruption, and finds what is left. */
export type SteppedJobKind = {
  /**
   * Answers whether it is done; or in how many milliseconds it is to be done once more; or with what details it goes on when others
   * have had their turn.
   */
  work(
    userId: string,
    job: ClaimedJob,
  ): Promise<boolean | { readonly againIn: number; readonly details?: string } | { readonly goOnWith: string }>;
};

export type AccountJobKind = RoomsJobKind | SteppedJobKind;

export interface AccountJobs {
  /** Lets go of what is under way; it goes on with the next start. */
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly writer: RoomWriter;
  /** By the first word of what they are called: what follows tells jobs of the same kind apart. */
  readonly kinds: Readonly<Record<string, AccountJobKind>>;
  readonly now: () => number;
  readonly newClaim: () => string;
  readonly log: { warn(details: object, message: string): void };
};

/** How long a claim is good for; renewed with every page of rooms. After that another process takes over. */
const claimTime = 60_000;
/** Rooms of other servers can take as long as these do. */
const renewAfter = 10_000;
const roomsPerPage = 100;
const roomsAtOnce = 4;
const jobsAtOnce = 4;
/** For how long a job that is done in steps keeps its place while others may be waiting for one. */
const turnTime = 5000;
const maxDelay = 60 * 60 * 1000;
const retryDelay = 10_000;
/** Refusals that say nothing about the next time. */
const passing: ReadonlySet<ErrorReason> = new Set([
  'policy.unavailable',
  'request.limit-exceeded',
  'server.overloaded',
]);

const keyOf = (row: AccountJobRow): string => `${row.user_id} ${row.kind}`;

type Job = { readonly userId: string; readonly kind: string; readonly claim: string };

/**
 * Does in the background what a change of an account means for its rooms. Jobs are rows, claimed by a guarded update; what
 * a job writes in a room is guarded by its claim, so that a job which was started anew, or taken over, writes nothing any
 * more. A room that fails is tried again later, and does not keep the job from the others.
 */
export function createAccountJobs({ db, writer, kinds, now, newClaim, log }: Dependencies): AccountJobs {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let polling: Promise<void> | undefined;
  let pollAgain = false;
  /** What is being worked on: each ends by itself, so that one that takes long keeps a place of its own and no other. */
  const running = new Map<string, Promise<void>>();

  async function commit(write: (set: WriteSet) => void): Promise<void> {
    const set = createWriteSet();
    write(set);
    await db.commit(set);
  }

  /** Whether the room is done with; not if it is to be tried again. */
  async function workInRoom({ room_nid: roomNid, room_id: roomId }: JobRoomRow, work: RoomWork, job: Job) {
    try {
      if ((await work.elsewhere?.(roomId)) !== true) await writer.append(roomNid, work);
      return true;
    } catch (error) {
      if (isGuardFailure(error, 'account-job.lost')) throw error;
      const { userId, kind } = job;
      log.warn({ err: error, userId, kind, roomNid }, 'An account change could not be carried into a room');
      // What the room's rules refuse they will refuse again.
      return error instanceof MatrixError && !passing.has(error.reason);
    }
  }

  async function workThrough(job: Job, row: AccountJobRow, kind: RoomsJobKind): Promise<void> {
    const prepared = await kind.prepare(job.userId, row.details, row.attempts);
    const work: RoomWork = { ...prepared, alongside: (set) => holdAccountJob(set, job) };
    let failed = false;
    let claimedAt = now();
    // A room that failed is tried again with all that come after it: what is done already costs little.
    const reached = (after: number): number => (failed ? row.after_room_nid : after);
    for (let after = row.after_room_nid; ;) {
      const rooms = await listRoomsWithMembership(db, job.userId, kind.memberships, { after, limit: roomsPerPage });
      for (let at = 0; at < rooms.length; at += roomsAtOnce) {
        if (closed) return giveBack(job, { afterRoomNid: reached(after), dueAt: now(), attempts: row.attempts });
        const some = rooms.slice(at, at + roomsAtOnce);
        const done = await Promise.all(some.map((room) => workInRoom(room, work, job)));
        failed ||= done.includes(false);
        if (now() - claimedAt < renewAfter) continue;
        claimedAt = now();
        const place = reached(after);
        await commit((set) => advanceAccountJob(set, job, place, claimedAt + claimTime));
      }
      const last = rooms.at(-1)?.room_nid;
      if (last === undefined || rooms.length < roomsPerPage) break;
      after = last;
      const place = reached(after);
      await commit((set) => advanceAccountJob(set, job, place, now() + claimTime));
    }
    const next = failed && row.attempts > 0 ? undefined : await kind.next?.(job.userId);
    const delay = Math.min(maxDelay, 1000 * 2 ** row.attempts);
    const again = { afterRoomNid: row.after_room_nid, dueAt: now() + delay, attempts: row.attempts + 1 };
    await commit((set) => {
      if (failed) postponeAccountJob(set, job, again);
      else finishAccountJob(set, job);
      if (next !== undefined) startAccountJob(set, job.userId, next, now());
    });
  }

  async function workInSteps(job: Job, row: AccountJobRow, kind: SteppedJobKind): Promise<void> {
    const startedAt = now();
    const result = await kind.work(job.userId, {
      details: row.details,
      attempts: row.attempts,
      hold: (set) => holdAccountJob(set, job),
      renew: () => commit((set) => advanceAccountJob(set, job, row.after_room_nid, now() + claimTime)),
      isEnding: () => closed,
      isTurnOver: () => now() - startedAt >= turnTime,
    });
    if (result === true) return commit((set) => finishAccountJob(set, job));
    const { after_room_nid: afterRoomNid, attempts } = row;
    if (result === false) return giveBack(job, { afterRoomNid, attempts, dueAt: now() });
    if ('goOnWith' in result) {
      return giveBack(job, { afterRoomNid, attempts, dueAt: now(), details: result.goOnWith });
    }
    const { againIn, details } = result;
    await giveBack(job, { afterRoomNid, attempts: attempts + 1, dueAt: now() + againIn, details });
  }

  function giveBack(job: Job, next: Parameters<typeof postponeAccountJob>[2]): Promise<void> {
    return commit((set) => postponeAccountJob(set, job, next));
  }

  async function workOn(job: Job, row: AccountJobRow): Promise<void> {
    const kind = kinds[row.kind.split(' ', 1)[0] ?? ''];
    try {
      if (kind === undefined) throw new Error(`there is no job of kind ${row.kind}`);
      await ('work' in kind ? workInSteps(job, row, kind) : workThrough(job, row, kind));
    } catch (error) {
      // Its claim runs out, and then it is tried again.
      if (!isGuardFailure(error, 'account-job.lost')) warnOf(job, error);
    }
  }

  function warnOf({ userId, kind }: Job, error: unknown): void {
    log.warn({ err: error, userId, kind }, 'A job of an account was interrupted');
  }

  /** Claims a job and begins with it. Answers whether claims can be made. */
  async function begin(row: AccountJobRow): Promise<boolean> {
    const job = { userId: row.user_id, kind: row.kind, claim: newClaim() };
    try {
      await commit((set) => claimAccountJob(set, job, now() + claimTime, now()));
    } catch (error) {
      if (isGuardFailure(error, 'account-job.lost')) return true;
      warnOf(job, error);
      return false;
    }
    const working = workOn(job, row).finally(() => {
      running.delete(keyOf(row));
      poll();
    });
    running.set(keyOf(row), working);
    return true;
  }

  /** Begins with what is due, as far as there are places; whoever leaves one looks again. */
  async function workOff(): Promise<void> {
    pollAgain = false;
    for (; running.size < jobsAtOnce; pollAgain = false) {
      const due = await listDueAccountJobs(db, now(), jobsAtOnce);
      if (closed) return;
      // One that was started anew begins when what is under way has found out that it has lost its claim.
      const others = due.filter((row) => !running.has(keyOf(row))).slice(0, jobsAtOnce - running.size);
      if (others.length === 0 && !pollAgain) {
        const next = due.length > 0 ? now() + retryDelay : await findNextAccountJob(db);
        if (next !== undefined) wakeIn(Math.max(100, next - now()));
        return;
      }
      const begun = await Promise.all(others.map(begin));
      if (begun.includes(false)) return wakeIn(retryDelay);
    }
  }

  function poll(): void {
    pollAgain = true;
    if (closed || polling !== undefined) return;
    clearTimeout(timer);
    polling = workOff()
      .catch((error: unknown) => {
        log.warn({ err: error }, 'Could not look for jobs of accounts');
        wakeIn(retryDelay);
      })
      .finally(() => {
        polling = undefined;
        // Something came while the last look was under way.
        if (pollAgain) poll();
      });
  }

  function wakeIn(milliseconds: number): void {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(poll, Math.min(milliseconds, maxDelay)).unref();
  }

  const stop = db.onChanges((batch) => {
    if (batch.some(({ changes }) => changes.some(({ kind }) => kind === 'account_job'))) poll();
  });
  // On SQLite one process owns the data: whoever had claims is gone.
  if (db.kind === 'sqlite') {
    polling = commit((set) => releaseAccountJobs(set, now()))
      .catch((error: unknown) => log.warn({ err: error }, 'Jobs of accounts that were interrupted wait for a while'))
      .finally(() => {
        polling = undefined;
        poll();
      });
  } else poll();

  return {
    async close() {
      closed = true;
      stop();
      clearTimeout(timer);
      await polling;
      await Promise.all(running.values());
    },
  };
}
