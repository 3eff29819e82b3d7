import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Something to be done in every room of a person. */
export type AccountJobRow = {
  readonly user_id: string;
  readonly kind: string;
  /** Rooms up to this one are done. */
  readonly after_room_nid: number;
  readonly attempts: number;
  /** What exactly is to be done, as JSON; null where the kind says it all. */
  readonly details: string | null;
};

const upsertJob = sql<void, [userId: string, kind: string, dueAt: number, details: string | null]>(
  'account-jobs.start',
  `insert into account_jobs (user_id, kind, claim, after_room_nid, due_at, attempts, details)
   values ($1, $2, null, -1, $3, 0, $4)
   on conflict (user_id, kind) do update set claim = null, after_room_nid = -1, due_at = excluded.due_at, attempts = 0,
     details = excluded.details`,
);

/** Starts a job, or starts it anew: whoever is at work on it loses their claim. */
export function startAccountJob(
  set: WriteSet,
  userId: string,
  kind: string,
  dueAt: number,
  details: string | null = null,
): void {
  set.add(upsertJob, [userId, kind, dueAt, details]);
  set.change('account_job', userId);
}

/** The job that takes a deactivated account out of all its rooms. */
export const leaveJob = 'leave';

const leaveIfDeactivated = sql<void, [userId: string, kind: string]>(
  'account-jobs.leave-if-deactivated',
  `insert into account_jobs (user_id, kind, claim, after_room_nid, due_at, attempts, details)
   select cast($1 as text), cast($2 as text), null, -1, 0, 0, null
   where exists (select 1 from accounts where user_id = $1 and deactivated_at is not null)
   on conflict (user_id, kind) do update set claim = null, after_room_nid = -1, due_at = 0, attempts = 0`,
);

/**
 * Somebody has come into a room by way of other servers, where that cannot be undone any more: if their account has ended
 * meanwhile, they leave again.
 */
export function leaveAgainIfDeactivated(set: WriteSet, userId: string): void {
  set.add(leaveIfDeactivated, [userId, leaveJob]);
  set.change('account_job', userId);
}

const selectDue = sql<AccountJobRow, [now: number, limit: number]>(
  'account-jobs.due',
  `select user_id, kind, after_room_nid, attempts, details from account_jobs
   where due_at <= $1 order by due_at limit $2`,
);

export function listDueAccountJobs(reader: Reader, now: number, limit: number): Promise<AccountJobRow[]> {
  return reader.all(selectDue, [now, limit]);
}

const selectNextDue = sql<{ due_at: number | null }>(
  'account-jobs.next-due',
  'select min(due_at) as due_at from account_jobs',
);

/** When the next job is due, or the claim on one ends. */
export async function findNextAccountJob(reader: Reader): Promise<number | undefined> {
  return (await reader.get(selectNextDue, []))?.due_at ?? undefined;
}

const claimJob = sql<void, [userId: string, kind: string, claim: string, until: number, now: number]>(
  'account-jobs.claim',
  'update account_jobs set claim = $3, due_at = $4 where user_id = $1 and kind = $2 and due_at <= $5',
);

type Claimed = { readonly userId: string; readonly kind: string; readonly claim: string };

/** Fails on the guard `account-job.lost` if another process was faster. */
export function claimAccountJob(set: WriteSet, job: Claimed, until: number, now: number): void {
  set.guard('account-job.lost', 1, claimJob, [job.userId, job.kind, job.claim, until, now]);
}

const holdJob = sql<void, [userId: string, kind: string, claim: string]>(
  'account-jobs.hold',
  'update account_jobs set claim = claim where user_id = $1 and kind = $2 and claim = $3',
);

/** Fails on the guard `account-job.lost` if the job was started anew, or is somebody else's by now. */
export function holdAccountJob(set: WriteSet, { userId, kind, claim }: Claimed): void {
  set.guard('account-job.lost', 1, holdJob, [userId, kind, claim]);
}

const advanceJob = sql<void, [userId: string, kind: string, claim: string, afterRoomNid: number, until: number]>(
  'account-jobs.advance',
  `update account_jobs set after_room_nid = $4, due_at = $5 where user_id = $1 and kind = $2 and claim = $3`,
);

/** Rooms up to one are done, and the claim is good for longer. Fails on the guard `account-job.lost`. */
export function advanceAccountJob(set: WriteSet, job: Claimed, afterRoomNid: number, until: number): void {
  set.guard('account-job.lost', 1, advanceJob, [job.userId, job.kind, job.claim, afterRoomNid, until]);
}

const postponeJob = sql<
  void,
  [
    userId: string,
    kind: string,
    claim: string,
    afterRoomNid: number,
    dueAt: number,
    attempts: number,
    details: string | null,
  ]
>(
  'account-jobs.postpone',
  `update account_jobs set claim = null, after_room_nid = $4, due_at = $5, attempts = $6,
     details = coalesce(cast($7 as text), details)
   where user_id = $1 and kind = $2 and claim = $3`,
);

/** Gives a claim back; the job goes on later, with other details if there are any. Nothing happens if the claim is lost already. */
export function postponeAccountJob(
  set: WriteSet,
  { userId, kind, claim }: Claimed,
  next: {
    readonly afterRoomNid: number;
    readonly dueAt: number;
    readonly attempts: number;
    readonly details?: string | undefined;
  },
): void {
  const { afterRoomNid, dueAt, attempts, details = null } = next;
  set.add(postponeJob, [userId, kind, claim, afterRoomNid, dueAt, attempts, details]);
}

const finishJob = sql<void, [userId: string, kind: string, claim: string]>(
  'account-jobs.finish',
  'delete from account_jobs where user_id = $1 and kind = $2 and claim = $3',
);

/** Fails on the guard `account-job.lost`. */
export function finishAccountJob(set: WriteSet, { userId, kind, claim }: Claimed): void {
  set.guard('account-job.lost', 1, finishJob, [userId, kind, claim]);
}

const deleteJob = sql<void, [userId: string, kind: string]>(
  'account-jobs.delete',
  'delete from account_jobs where user_id = $1 and kind = $2',
);

/** Whatever its state. */
export function removeAccountJob(set: WriteSet, userId: string, kind: string): void {
  set.add(deleteJob, [userId, kind]);
}

const selectKinds = sql<{ kind: string }, [userId: string]>(
  'account-jobs.kinds',
  'select kind from account_jobs where user_id = $1',
);

/** What is under way for somebody. */
export async function listAccountJobKinds(reader: Reader, userId: string): Promise<string[]> {
  return (await reader.all(selectKinds, [userId])).map((row) => row.kind);
}

const selectDetails = sql<{ details: string | null }, [userId: string, kind: string]>(
  'account-jobs.details',
  'select details from account_jobs where user_id = $1 and kind = $2',
);

/** What is to be done and how far it is; `undefined` where there is no such job. */
export async function findJobDetails(reader: Reader, userId: string, kind: string): Promise<string | undefined> {
  return (await reader.get(selectDetails, [userId, kind]))?.details ?? undefined;
}

export type JobRoomRow = { readonly room_nid: number; readonly room_id: string };

const selectRooms = sql<JobRoomRow, [userId: string, memberships: string, afterRoomNid: number, limit: number]>(
  'account-jobs.rooms',
  `select m.room_nid, r.room_id from memberships m join rooms r on r.room_nid = m.room_nid
   where m.user_id = $1 and m.membership in (select value from json_each(cast($2 as text))) and m.room_nid > $3
   order by m.room_nid limit $4`,
);

/** A page of the rooms in which somebody has one of the memberships. */
export function listRoomsWithMembership(
  reader: Reader,
  userId: string,
  memberships: readonly string[],
  page: { readonly after: number; readonly limit: number },
): Promise<JobRoomRow[]> {
  return reader.all(selectRooms, [userId, JSON.stringify(memberships), page.after, page.limit]);
}

const upsertClaimed = sql<void, [userId: string, kind: string, claim: string, until: number, details: string]>(
  'account-jobs.start-claimed',
  `insert into account_jobs (user_id, kind, claim, after_room_nid, due_at, attempts, details)
   values ($1, $2, $3, -1, $4, 0, $5)
   on conflict (user_id, kind) do update set claim = excluded.claim, after_room_nid = -1, due_at = excluded.due_at,
     attempts = 0, details = excluded.details`,
);

/** What is under way already, and is to be done as a job only if its end is never stored. */
export function startClaimedJob(set: WriteSet, job: Claimed, until: number, details: string): void {
  set.add(upsertClaimed, [job.userId, job.kind, job.claim, until, details]);
  set.change('account_job', job.userId);
}

const renewClaim = sql<void, [userId: string, kind: string, claim: string, until: number]>(
  'account-jobs.renew',
  'update account_jobs set due_at = $4 where user_id = $1 and kind = $2 and claim = $3',
);

/** The claim is good for longer. Nothing happens if it is lost already. */
export function renewAccountJob(set: WriteSet, { userId, kind, claim }: Claimed, until: number): void {
  set.add(renewClaim, [userId, kind, claim, until]);
}

const releaseClaims = sql<void, [now: number]>(
  'account-jobs.release',
  'update account_jobs set claim = null, due_at = $1 where claim is not null',
);

/** Nobody is at work on any job. */
export function releaseAccountJobs(set: WriteSet, now: number): void {
  set.add(releaseClaims, [now]);
}
