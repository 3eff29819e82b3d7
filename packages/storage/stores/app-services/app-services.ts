import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type AppServiceRow = {
  readonly position: number;
  readonly txn_id: number;
  readonly up_to: number | null;
  readonly failures: number;
  readonly retry_at: number;
  readonly user_namespaces: string;
  readonly owner: string;
  readonly lease_until: number;
};

/** Who delivers to a service, and until when nobody else does. */
export type Lease = { readonly owner: string; readonly until: number; readonly now: number };

const selectOne = sql<AppServiceRow, [id: string]>(
  'app-services.get',
  `select position, txn_id, up_to, failures, retry_at, user_namespaces, owner, lease_until from app_services
   where service_id = $1`,
);

/*
 * A service that was removed and comes back may remember the IDs of transactions from before, and would take new ones for
 * repeated ones. Those are below the position, since each of them took commits of its own.
 */
const insertOne = sql<void, [id: string, position: number]>(
  'app-services.insert',
  `insert into app_services
     (service_id, position, txn_id, up_to, failures, retry_at, user_namespaces, owner, lease_until)
   values ($1, $2, $2, null, 0, 0, '', '', 0)
   on conflict do nothing`,
);

const deleteOthers = sql<void, [ids: string]>(
  'app-services.delete-others',
  'delete from app_services where service_id not in (select value from json_each(cast($1 as text)))',
);
const deleteMembersOfOthers = sql<void, [ids: string]>(
  'app-services.delete-members-of-others',
  `delete from app_service_members where service_id in (
     select service_id from app_services
     where service_id not in (select value from json_each(cast($1 as text))))`,
);

const claimTransaction = sql<
  void,
  [
    id: string,
    lastTxn: number,
    txnId: number,
    after: number,
    upTo: number,
    owner: string,
    leaseUntil: number,
    now: number,
  ]
>(
  'app-services.claim-transaction',
  `update app_services set txn_id = $3, position = $4, up_to = $5, owner = $6, lease_until = $7
   where service_id = $1 and txn_id = $2 and (owner = $6 or lease_until <= $8)`,
);

const moveOn = sql<void, [id: string, from: number, to: number, owner: string, leaseUntil: number, now: number]>(
  'app-services.move-on',
  `update app_services set position = $3, up_to = null, failures = 0, retry_at = 0, owner = $4, lease_until = $5
   where service_id = $1 and position = $2 and (owner = $4 or lease_until <= $6)`,
);

const setFailed = sql<void, [id: string, txnId: number, failures: number, retryAt: number, owner: string]>(
  'app-services.failed',
  'update app_services set failures = $3, retry_at = $4 where service_id = $1 and txn_id = $2 and owner = $5',
);

const renewLease = sql<void, [id: string, owner: string, leaseUntil: number]>(
  'app-services.renew',
  'update app_services set lease_until = $3 where service_id = $1 and owner = $2',
);

const releaseLease = sql<void, [id: string, owner: string]>(
  'app-services.release',
  'update app_services set lease_until = 0 where service_id = $1 and owner = $2',
);

export function findAppService(reader: Reader, id: string): Promise<AppServiceRow | undefined> {
  return reader.get(selectOne, [id]);
}

/** A service that is new begins with what happens after `position`. What is known of services not named here is dropped. */
export function setAppServices(set: WriteSet, ids: readonly string[], position: number): void {
  const list = JSON.stringify(ids);
  set.add(deleteMembersOfOthers, [list]);
  set.add(deleteOthers, [list]);
  for (const id of ids) set.add(insertOne, [id, position]);
}

/** Begins a transaction, or repeats it. Fails on the guard `app-service.claimed` if another process delivers. */
export function claimAppServiceTransaction(
  set: WriteSet,
  id: string,
  transaction: { readonly last: number; readonly txnId: number; readonly after: number; readonly upTo: number },
  { owner, until, now }: Lease,
): void {
  const { last, txnId, after, upTo } = transaction;
  set.guard('app-service.claimed', 1, claimTransaction, [id, last, txnId, after, upTo, owner, until, now]);
}

/** Notes that everything up to a position has been delivered. Fails on the guard `app-service.claimed`. */
export function moveAppServiceOn(
  set: WriteSet,
  id: string,
  range: { readonly from: number; readonly to: number },
  { owner, until, now }: Lease,
): void {
  set.guard('app-service.claimed', 1, moveOn, [id, range.from, range.to, owner, until, now]);
}

export function setAppServiceFailed(
  set: WriteSet,
  id: string,
  failure: { readonly txnId: number; readonly failures: number; readonly retryAt: number; readonly owner: string },
): void {
  set.add(setFailed, [id, failure.txnId, failure.failures, failure.retryAt, failure.owner]);
}

/** Keeps others from delivering for longer, unless one of them does already. */
export function renewAppServiceLease(set: WriteSet, id: string, { owner, until }: Lease): void {
  set.add(renewLease, [id, owner, until]);
}

/** Lets another process deliver at once. */
export function releaseAppService(set: WriteSet, id: string, owner: string): void {
  set.add(releaseLease, [id, owner]);
  set.change('app_service', id);
}
