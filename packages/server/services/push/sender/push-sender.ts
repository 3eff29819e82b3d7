import { createWriteSet, type CommittedChanges } from '@portico/storage';
import {
  type DeliveryRow,
  findNextRetry,
  readDeliveries,
  readRetries,
  releasePushers,
} from '@portico/storage/stores/push/push-deliveries.ts';
import {
  everyone,
  pushChange,
  readRecounted,
  readWaitingUsers,
  recountChange,
} from '@portico/storage/stores/push/push-queue.ts';
import type { After } from '../../sync/waiting.ts';
import type { PushedPeople } from '../pushed-people.ts';
import type { Deliver } from './deliver.ts';
import type { LedgerDependencies } from './ledger.ts';
import { createGatewayLanes } from './gateway-lanes.ts';

/** Tells people's devices of what happens. */
export interface PushSender {
  /** How many pushers there is something for, as far as this process sends. */
  readonly queued: () => number;
  /** Resolves once there is nothing more to do before the next retry. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

type Dependencies = Pick<LedgerDependencies, 'db' | 'process' | 'isShared' | 'now'> & {
  /** What a pusher shares its turns with: its gateway. `undefined` for those that cannot be told anything. */
  readonly destinationOf: (row: DeliveryRow) => string | undefined;
  readonly deliver: Deliver;
  readonly people: PushedPeople;
  readonly after: After;
  readonly log: { error(details: object, message: string): void };
};

const usersAtOnce = 500;
/** So many pushers are worked on, or wait for their gateway's turn, in memory. */
const mostRunning = 2000;
/** How often to look for what a process that is gone has left. */
const sweepEvery = 30_000;
const longestTimer = 60 * 60_000;
/** So long more is waited for where events are redacted: it is one number that tells of all of them. */
const recountDelay = 1000;
/** Beyond so many redacted events it is simpler to look whom there is something for. */
const mostRecounted = 500;
/** How long what is under way may take to end when the server stops. */
const farewell = 3000;

export function createPushSender(deps: Dependencies): PushSender {
  const { db, deliver, destinationOf, people, process, isShared, now, after, log } = deps;
  const lanes = createGatewayLanes();
  const waiting = new Set<string>();
  const running = new Map<string, { isWoken: boolean; readonly work: Promise<void> }>();
  const closing = new AbortController();
  const hurrying = new AbortController();
  let isSweepDue = true;
  let isRetryDue = true;
  const recounted = new Set<number>();
  let isRecountDue = false;
  let looking: Promise<void> | undefined;
  let cancelRetry = (): void => undefined;
  let cancelSweep = (): void => undefined;
  let cancelRecount: (() => void) | undefined;
  let nextRetry = Infinity;

  function retryAt(time: number): void {
    if (time >= nextRetry || closing.signal.aborted) return;
    cancelRetry();
    nextRetry = time;
    cancelRetry = after(Math.min(Math.max(time - now(), 1), longestTimer), () => {
      nextRetry = Infinity;
      isRetryDue = true;
      lookSoon();
    });
  }

  function start(row: DeliveryRow): void {
    const key = JSON.stringify([row.user_id, row.app_id, row.pushkey]);
    const known = running.get(key);
    if (known !== undefined) {
      known.isWoken = true;
      return;
    }
    const destination = destinationOf(row);
    if (destination === undefined || row.retry_at > now()) return;
    // They have heard of it, too. Should they be gone, the next sweep finds what they left.
    if (isShared && row.process !== process && row.lease_until > now()) return;
    const work = lanes
      .run(destination, row.failures > 0, async () => {
        const failed = await deliver(row, hurrying.signal);
        if (failed !== undefined) retryAt(failed.retryAt);
      })
      .catch((error: unknown) => log.error({ err: error }, 'Telling a device failed'))
      .finally(() => {
        const isWoken = running.get(key)?.isWoken === true;
        running.delete(key);
        if (isWoken) waiting.add(row.user_id);
        if (waiting.size > 0) lookSoon();
      });
    running.set(key, { isWoken: false, work });
  }

  async function startAll(userIds: readonly string[]): Promise<void> {
    if (userIds.length === 0) return;
    const rows = await readDeliveries(db, userIds);
    if (!closing.signal.aborted) for (const row of rows) start(row);
    while (running.size > mostRunning) await Promise.race([...running.values()].map(({ work }) => work));
  }

  async function sweep(): Promise<void> {
    for (let last = ''; ;) {
      const users = await readWaitingUsers(db, last, usersAtOnce);
      await startAll(users);
      if (users.length < usersAtOnce || closing.signal.aborted) return;
      last = users.at(-1) ?? '';
    }
  }

  async function retry(): Promise<void> {
    await startAll(await readRetries(db, now(), usersAtOnce));
    const next = await findNextRetry(db, now());
    if (next !== undefined) retryAt(next);
  }

  async function recount(): Promise<void> {
    const eventNids = [...recounted];
    recounted.clear();
    for (const userId of await readRecounted(db, eventNids)) if (people.has(userId)) waiting.add(userId);
  }

  function recountSoon(eventNid: number): void {
    if (people.size === 0 || closing.signal.aborted) return;
    if (recounted.size < mostRecounted) recounted.add(eventNid);
    else isSweepDue = true;
    cancelRecount ??= after(recountDelay, () => {
      cancelRecount = undefined;
      isRecountDue = true;
      lookSoon();
    });
  }

  async function look(): Promise<void> {
    while (!closing.signal.aborted) {
      if (isSweepDue) {
        isSweepDue = false;
        await sweep();
      } else if (isRetryDue) {
        isRetryDue = false;
        await retry();
      } else if (isRecountDue) {
        isRecountDue = false;
        await recount();
      } else if (waiting.size > 0) {
        const users = [...waiting].slice(0, usersAtOnce);
        for (const userId of users) waiting.delete(userId);
        await startAll(users);
      } else return;
    }
  }

  function lookSoon(): void {
    if (closing.signal.aborted) return;
    looking ??= look()
      .catch((error: unknown) => {
        // The next sweep finds what was not found now.
        log.error({ err: error }, 'Looking for what devices are to be told failed');
      })
      .finally(() => {
        looking = undefined;
        if (isRetryDue || isRecountDue || waiting.size > 0) lookSoon();
      });
  }

  function sweepLater(): void {
    cancelSweep = after(sweepEvery, () => {
      isSweepDue = true;
      lookSoon();
      sweepLater();
    });
  }

  const stop = db.onChanges((batches: readonly CommittedChanges[]) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind === recountChange) recountSoon(Number(key));
        if (kind !== pushChange && kind !== 'pushers') continue;
        if (key === everyone) isSweepDue = true;
        else if (people.has(String(key))) waiting.add(String(key));
      }
    }
    if (isSweepDue || waiting.size > 0) lookSoon();
  });
  lookSoon();
  sweepLater();

  return {
    queued: () => running.size + waiting.size,
    async settled() {
      const isBusy = (): boolean => looking !== undefined || running.size > 0;
      while (isBusy()) {
        await Promise.all([looking, ...[...running.values()].map(({ work }) => work)]);
      }
    },
    async close() {
      closing.abort();
      stop();
      cancelRetry();
      cancelSweep();
      cancelRecount?.();
      const rest = Promise.all([looking, ...[...running.values()].map(({ work }) => work)]);
      let cancel = (): void => undefined;
      await Promise.race([rest, new Promise<void>((resolve) => (cancel = after(farewell, resolve)))]);
      cancel();
      hurrying.abort();
      await rest;
      if (!isShared) return;
      const set = createWriteSet();
      releasePushers(set, process);
      set.change(pushChange, everyone);
      await db.commit(set);
    },
  };
}
