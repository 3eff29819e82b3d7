import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { PusherKey } from './pushers.ts';
import { dropSentPushes, trimPushQueue } from './push-queue.ts';

/** A pusher as the one who sends sees it. */
export type DeliveryRow = {
  readonly user_id: string;
  readonly app_id: string;
  readonly pushkey: string;
  readonly kind: string;
  readonly lang: string;
  readonly data: string;
  readonly set_at: number;
  readonly position: number;
  readonly badge: number;
  readonly failures: number;
  readonly failing_since: number;
  readonly retry_at: number;
  readonly process: string;
  readonly lease_until: number;
};

/** Who sends to a pusher, and until when nobody else does. */
export type PushLease = { readonly process: string; readonly until: number; readonly now: number };

const columns = `p.user_id, p.app_id, p.pushkey, p.kind, p.lang, p.data, p.set_at, p.position, p.badge, p.failures,
     p.failing_since, p.retry_at, p.process, p.lease_until`;

const selectOfUsers = sql<DeliveryRow, [userIds: string]>(
  'push-deliveries.of-users',
  `select ${columns} from json_each(cast($1 as text)) u join pushers p on p.user_id = u.value
   where p.enabled = 1 and (p.retry_at > 0
     or exists (select 1 from push_queue q where q.user_id = p.user_id and q.position > p.position))`,
);

/** Those pushers of some people that there is something for. */
export function readDeliveries(reader: Reader, userIds: readonly string[]): Promise<DeliveryRow[]> {
  return reader.all(selectOfUsers, [JSON.stringify(userIds)]);
}

const selectPushed = sql<{ user_id: string }>(
  'push-deliveries.pushed-users',
  'select distinct user_id from pushers where enabled = 1',
);
const selectPushedAmong = sql<{ user_id: string }, [userIds: string]>(
  'push-deliveries.pushed-users-among',
  `select distinct p.user_id from json_each(cast($1 as text)) u join pushers p on p.user_id = u.value
   where p.enabled = 1`,
);

/** Everyone who has pushers. */
export async function readPushedUsers(reader: Reader): Promise<string[]> {
  return (await reader.all(selectPushed, [])).map((row) => row.user_id);
}

export async function readPushedAmong(reader: Reader, userIds: readonly string[]): Promise<string[]> {
  return (await reader.all(selectPushedAmong, [JSON.stringify(userIds)])).map((row) => row.user_id);
}

const selectRetries = sql<{ user_id: string }, [now: number, limit: number]>(
  'push-deliveries.retries',
  'select user_id from pushers where retry_at > 0 and retry_at <= $1 order by retry_at limit $2',
);
const selectNextRetry = sql<{ retry_at: number | null }, [after: number]>(
  'push-deliveries.next-retry',
  'select min(retry_at) as retry_at from pushers where retry_at > 0 and retry_at > $1',
);

/** Whose pushers are to be tried again by now. */
export async function readRetries(reader: Reader, now: number, limit: number): Promise<string[]> {
  return (await reader.all(selectRetries, [now, limit])).map((row) => row.user_id);
}

/** When the first pusher is tried again, of those after a moment. */
export async function findNextRetry(reader: Reader, after: number): Promise<number | undefined> {
  return (await reader.get(selectNextRetry, [after]))?.retry_at ?? undefined;
}

const isOne = 'user_id = $1 and app_id = $2 and pushkey = $3';

const claimOne = sql<
  void,
  [userId: string, appId: string, pushkey: string, position: number, process: string, leaseUntil: number, now: number]
>(
  'push-deliveries.claim',
  `update pushers set process = $5, lease_until = $6
   where ${isOne} and position = $4 and enabled = 1 and (process = $5 or lease_until <= $7)`,
);

/** Fails on the guard `pusher.claimed` if another process sends, or somebody has taken the pusher away. */
export function claimPusher(set: WriteSet, key: PusherKey, position: number, lease: PushLease): void {
  const { process, until, now } = lease;
  set.guard('pusher.claimed', 1, claimOne, [key.userId, key.appId, key.pushkey, position, process, until, now]);
}

const moveOne = sql<
  void,
  [
    userId: string,
    appId: string,
    pushkey: string,
    from: number,
    to: number,
    badge: number,
    notBefore: number,
    process: string,
    leaseUntil: number,
    now: number,
  ]
>(
  'push-deliveries.move-on',
  `update pushers set position = $5, badge = $6, failures = 0, failing_since = 0, retry_at = $7, process = $8,
     lease_until = $9
   where ${isOne} and position = $4 and enabled = 1 and (process = $8 or lease_until <= $10)`,
);

/** Notes that all up to a position has been dealt with. Fails on the guard `pusher.claimed`. */
export function movePusherOn(
  set: WriteSet,
  key: PusherKey,
  step: {
    readonly from: number;
    readonly to: number;
    readonly badge: number;
    /** When it may be sent something again; 0 for at once. */
    readonly notBefore: number;
  },
  { process, until, now }: PushLease,
): void {
  const { from, to, badge, notBefore } = step;
  const { userId, appId, pushkey } = key;
  set.guard('pusher.claimed', 1, moveOne, [userId, appId, pushkey, from, to, badge, notBefore, process, until, now]);
  dropSentPushes(set, userId);
}

const failOne = sql<
  void,
  [
    userId: string,
    appId: string,
    pushkey: string,
    from: number,
    to: number,
    failures: number,
    failingSince: number,
    retryAt: number,
    process: string,
  ]
>(
  'push-deliveries.failed',
  `update pushers set position = $5, failures = $6, failing_since = $7, retry_at = $8, lease_until = 0
   where ${isOne} and position = $4 and process in ($9, '')`,
);

/** So much waits for somebody whose devices cannot be reached. */
const mostKept = 100;

/** Whoever comes first tries again, from `retryAt` on. */
export function setPusherFailed(
  set: WriteSet,
  key: PusherKey,
  failure: {
    readonly from: number;
    /** The same, or what is given up. */
    readonly to: number;
    readonly failures: number;
    readonly failingSince: number;
    readonly retryAt: number;
    readonly process: string;
  },
): void {
  const { userId, appId, pushkey } = key;
  const { from, to, failures, failingSince, retryAt, process } = failure;
  set.add(failOne, [userId, appId, pushkey, from, to, failures, failingSince, retryAt, process]);
  trimPushQueue(set, userId, mostKept);
}

const releaseAll = sql<void, [process: string]>(
  'push-deliveries.release',
  'update pushers set lease_until = 0 where process = $1 and lease_until > 0',
);

/** Lets other processes send at once. */
export function releasePushers(set: WriteSet, process: string): void {
  set.add(releaseAll, [process]);
}
