import { createWriteSet, type Database } from '@portico/storage';
import { dropToDeviceBetween } from '@portico/storage/stores/app-services/app-service-extras.ts';
import { changeAppServiceMembers } from '@portico/storage/stores/app-services/app-service-members.ts';
import {
  type AppServiceRow,
  claimAppServiceTransaction,
  findAppService,
  type Lease,
  moveAppServiceOn,
  releaseAppService,
  renewAppServiceLease,
  setAppServiceFailed,
} from '@portico/storage/stores/app-services/app-services.ts';
import { isGuardFailure } from '../../accounts/guards.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import type { AppService } from '../app-service.ts';
import type { AppServiceClient } from '../app-service-client.ts';
import type { PresenceFor, TypingNow } from './ephemeral.ts';
import { keepLease } from './keep-lease.ts';
import { findMembersAnew } from './members.ts';
import { createPassing, noteChanges, type Passing, takeAll, type Taken, takenBefore } from './passing.ts';
import { type Plan, planNext, planRange } from './plan.ts';
import { createRunner } from './runner.ts';
import { makeTransaction, type Transaction } from './transaction.ts';

export type DeliveryDependencies = {
  readonly db: Database;
  readonly client: AppServiceClient;
  readonly serverName: string;
  readonly typing: TypingNow;
  readonly presence: PresenceFor;
  readonly log: {
    info(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  readonly now: () => number;
  /** This process, among those that share the database. */
  readonly owner: string;
};

/** Brings one application service what interests it: one transaction at a time, each until it has been accepted. */
export interface Delivery {
  readonly passing: Passing;
  wake(): void;
  /** The service has just been heard of: it can be reached soon. */
  heardOf(): void;
  close(): Promise<void>;
}

const requestTimeout = 60_000;
/** That long others wait for a process that is gone. A request may take longer: the lease is renewed meanwhile. */
const leaseTime = 20_000;
const renewEvery = 5000;
const shortestWait = 1000;
const longestWait = 5 * 60_000;
/** How soon a service is tried again that was heard of: bridges speak some moments before they can use what they are told. */
const waitOnceHeardOf = 5000;
/** Positions that nothing of interest is at are noted now and then only. */
const unnoted = 2000;

export function createDelivery(deps: DeliveryDependencies, service: AppService): Delivery {
  const { db, client, log, now, owner, serverName } = deps;
  const passing = createPassing();
  const stopping = new AbortController();
  let row: AppServiceRow | undefined;
  /** Up to where nothing more is of interest; ahead of the row. */
  let seen = 0;
  /** What goes with the transaction under way. */
  let taken: Taken | undefined;
  /** When there is another attempt, whatever the row says, since the service was heard of. */
  let promised: number | undefined;

  const lease = (): Lease => ({ owner, until: now() + leaseTime, now: now() });
  const isAnothers = ({ owner: by, lease_until: until }: AppServiceRow): boolean => by !== owner && until > now();

  async function load(): Promise<AppServiceRow> {
    if (row !== undefined && row.owner === owner && row.lease_until > now()) return row;
    const found = await findAppService(db, service.id);
    if (found === undefined) throw new Error(`there is no row of the application service ${service.id}`);
    seen = Math.max(found.position, row?.position === found.position ? seen : 0);
    row = found;
    return found;
  }

  async function begin(current: AppServiceRow, { range }: Plan): Promise<AppServiceRow> {
    const held = lease();
    const txnId = current.up_to === null ? current.txn_id + 1 : current.txn_id;
    const set = createWriteSet();
    claimAppServiceTransaction(set, service.id, { last: current.txn_id, txnId, ...range }, held);
    await db.commit(set);
    row = { ...current, position: range.after, txn_id: txnId, up_to: range.upTo, owner, lease_until: held.until };
    return row;
  }

  async function moveOn(current: AppServiceRow, plan: Plan, toDeviceUsers: readonly string[]): Promise<void> {
    const held = lease();
    const [from, to] = [current.position, plan.range.upTo];
    const set = createWriteSet();
    moveAppServiceOn(set, service.id, { from, to }, held);
    changeAppServiceMembers(set, service.id, plan);
    // A bridge that is not told of device lists decrypts on a device that syncs, and may ask for ephemeral events all the same.
    dropToDeviceBetween(set, plan.range, toDeviceUsers, service.receivesDeviceLists);
    await db.commit(set);
    row = { ...current, position: to, up_to: null, failures: 0, retry_at: 0, owner, lease_until: held.until };
    seen = to;
  }

  async function renew(): Promise<void> {
    const set = createWriteSet();
    renewAppServiceLease(set, service.id, lease());
    try {
      await db.commit(set);
    } catch (error) {
      // Should another process repeat the transaction for that, the service knows it by its ID.
      log.info({ err: error, service: service.id }, 'The lease of an application service could not be renewed');
    }
  }

  async function send({ txn_id: txnId }: AppServiceRow, body: string): Promise<string | undefined> {
    const path = `/transactions/${txnId}`;
    const request = { method: 'PUT', path, legacyPath: path, body, timeout: requestTimeout } as const;
    const ask = () => client.request(service, { ...request, signal: stopping.signal });
    try {
      // On SQLite there are no others.
      const { isSuccess, code } = await (db.kind === 'sqlite' ? ask() : keepLease(renew, renewEvery, ask));
      return isSuccess ? undefined : `it answered with ${code}`;
    } catch (error) {
      if (error instanceof OutboundError) return error.message;
      throw error;
    }
  }

  async function noteFailure(current: AppServiceRow, reason: string): Promise<void> {
    const failures = current.failures + 1;
    const delay = Math.min(shortestWait * 2 ** Math.min(failures - 1, 20), longestWait);
    const retryAt = now() + delay;
    log.info({ service: service.id, failures, delay, reason }, 'An application service does not take a transaction');
    const set = createWriteSet();
    setAppServiceFailed(set, service.id, { txnId: current.txn_id, failures, retryAt, owner });
    await db.commit(set);
    row = { ...current, failures, retry_at: retryAt };
    // Of one that was heard of meanwhile there is still something to hope.
    if (promised !== undefined && promised <= now()) promised = undefined;
  }

  async function planFor(current: AppServiceRow, end: number): Promise<Plan> {
    const context = { db, service, serverName };
    if (current.up_to !== null) return planRange(context, { after: current.position, upTo: current.up_to });
    // What was seen to be of no interest is not looked at again; what it changed has been written.
    return planNext(context, { after: Math.max(current.position, seen), upTo: end });
  }

  /** Where the stretch ends before everything that was taken has happened, the rest comes later. */
  function putBack({ receipts }: Taken): void {
    if (receipts === 'any') passing.receipts.overflow();
    else for (const roomNid of receipts) passing.receipts.add(roomNid);
  }

  /** One step, and after how many milliseconds there is another one. */
  async function step(): Promise<number | 'idle'> {
    const current = await load();
    if (isAnothers(current)) return current.lease_until - now();
    if (current.user_namespaces !== service.userNamespaces) {
      await findMembersAnew(db, service, lease);
      row = undefined;
      return 0;
    }
    const wait = Math.min(current.retry_at, promised ?? Infinity) - now();
    if (wait > 0) return wait;
    taken ??= current.up_to === null ? takeAll(passing) : takenBefore;
    // Read after that: nothing that was taken is behind the end.
    const end = db.currentPosition();
    const plan = await planFor(current, end);
    const isEnd = plan.range.upTo >= end;
    const transaction: Transaction = await makeTransaction({ ...deps, service }, plan, taken);
    if (transaction.body === undefined && current.up_to === null) {
      if (!isEnd) putBack(taken);
      taken = undefined;
      seen = plan.range.upTo;
      const hasMoved = plan.joined.length + plan.left.length > 0;
      if (hasMoved || seen - current.position > unnoted) await moveOn(current, plan, []);
      return isEnd ? 'idle' : 0;
    }
    const isFirst = current.up_to === null;
    const begun = await begin(current, plan);
    if (isFirst && !isEnd) putBack(taken);
    const failure = await send(begun, transaction.body ?? '{"events":[]}');
    if (stopping.signal.aborted && failure !== undefined) return 'idle';
    if (failure !== undefined) {
      await noteFailure(begun, failure);
      return 0;
    }
    promised = undefined;
    if (begun.failures > 0) log.info({ service: service.id }, 'An application service takes transactions again');
    await moveOn(begun, plan, transaction.toDeviceUsers);
    taken = undefined;
    return 0;
  }

  async function carefulStep(): Promise<number | 'idle'> {
    try {
      return await step();
    } catch (error) {
      if (!isGuardFailure(error, 'app-service.claimed')) throw error;
      // Another process was faster: its row says until when it delivers.
      row = undefined;
      taken = undefined;
      return 0;
    }
  }

  const runner = createRunner({
    step: carefulStep,
    onFailure: (error) => log.error({ err: error, service: service.id }, 'Telling an application service failed'),
  });

  // A bridge that does not know how many keys it has left may have none.
  if (service.receivesDeviceLists) passing.keyCounts.add(service.sender);
  const stop = db.onChanges((batches) => {
    if (noteChanges(passing, service, batches)) runner.wake();
    // The process that has delivered so far is gone: there is no use in waiting for the end of its lease.
    if (batches.some(({ changes }) => changes.some(({ kind, key }) => kind === 'app_service' && key === service.id)))
      runner.hurry();
  });

  return {
    passing,
    wake: runner.wake,
    heardOf() {
      if (row === undefined || row.failures === 0 || promised !== undefined) return;
      promised = now() + waitOnceHeardOf;
      runner.hurry();
    },
    async close() {
      stop();
      stopping.abort();
      await runner.close();
      if (row?.owner !== owner) return;
      const set = createWriteSet();
      releaseAppService(set, service.id, owner);
      await db.commit(set);
    },
  };
}
