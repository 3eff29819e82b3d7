import type pg from 'pg';
import type { Committed, CommittedChanges, WriteSet } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import type { StorageErrorReason } from '../../errors.ts';
import type { Failpoints } from '../failpoints.ts';
import { createGroupQueue } from '../group-queue.ts';
import type { OpenOptions, StorageLog } from '../options.ts';
import { advanceOf, bytesOfSet, positionsFrom } from '../settle.ts';
import type { Pending } from '../settle.ts';
import { answerInTime } from './answer-in-time.ts';
import { BatchError } from './batch.ts';
import type { ChangeTail } from './change-tail.ts';
import { usualIdleTimeout } from './client.ts';
import { isUndoneForOthers, sqlState, wholeFailure } from './failure.ts';
import { createLink } from './link.ts';
import { sessionSetup } from './support.ts';
import { decideInTurn } from '../turn.ts';
import type { Decide, PendingDecision } from '../turn.ts';
import { beginAlone, commitGroup, prepareEach, prepareGroup, rollbackGroup } from './transaction.ts';
import type { Prepared } from './transaction.ts';

export type Writer = {
  readonly commit: (set: WriteSet) => Promise<Committed>;
  readonly commitAlone: (decide: Decide) => Promise<Committed>;
  readonly close: () => Promise<void>;
};

type Item = Pending | PendingDecision;
type Settles = Pick<Pending, 'reject'>;

export type WriterOptions = {
  readonly url: string;
  readonly tail: ChangeTail;
  readonly log: StorageLog;
  readonly failpoints: Failpoints | undefined;
  readonly options: OpenOptions;
};

/** How often a group is run that is undone for the sake of others each time. */
const maxRuns = 3;
const lockTimeout = 15_000;
/** More than a group takes that waits for a lock. */
const usualAnswerTimeout = 60_000;

/** The error of the server behind a failed batch. */
const causeOf = (error: unknown): unknown => (error instanceof BatchError ? error.cause : error);

/** Why a group failed whose `commit` was sent. Only an ordinary error of the server says that nothing was written. */
function commitFailure(error: unknown): StorageErrorReason {
  const cause = causeOf(error);
  const severity = cause instanceof Error && 'severity' in cause ? cause.severity : undefined;
  if (sqlState(cause) === undefined || severity !== 'ERROR') return 'outcome-unknown';
  return wholeFailure(cause) ?? 'unavailable';
}

/** One connection on which groups are written, one after the other. */
export async function createWriter({ url, tail, log, failpoints, options }: WriterOptions): Promise<Writer> {
  const inTime = <T>(client: pg.Client, ask: () => Promise<T>): Promise<T> =>
    answerInTime(client, options.answerTimeout ?? usualAnswerTimeout, ask);

  const fail = (items: readonly Settles[], reason: StorageErrorReason, cause: unknown) => {
    const message = cause instanceof Error ? cause.message : 'The database cannot be reached';
    for (const { reject } of items) reject(new StorageError(reason, message, { cause }));
  };

  const acknowledge = async (items: readonly Pending[], { base, end, outcomes }: Prepared) => {
    const batch: CommittedChanges[] = [];
    items.forEach(({ set }, index) => {
      const outcome = outcomes[index];
      if (outcome?.kind === 'written' && set.changes.length > 0)
        batch.push({ position: outcome.end, changes: set.changes });
    });
    if (end > base) await tail.committed(base, end, batch);
    items.forEach(({ set, resolve, reject }, index) => {
      const outcome = outcomes[index];
      if (outcome?.kind === 'written') {
        resolve({ positions: positionsFrom(outcome.end - advanceOf(set), set), returned: outcome.returned });
      } else {
        reject(outcome?.error);
      }
    });
  };

  const abandon = async (client: pg.Client) => {
    try {
      await inTime(client, () => rollbackGroup(client));
    } catch {
      link.drop(client);
    }
  };

  /** Runs a group up to its commit; `undefined`, and everybody told, where the database cannot. */
  const attempt = async <T>(
    client: pg.Client,
    items: readonly Settles[],
    prepare: () => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await inTime(client, prepare);
    } catch (error) {
      const reason = wholeFailure(causeOf(error)) ?? 'unavailable';
      log('error', 'The database could not take a group of writes', { reason, error: causeOf(error) });
      await abandon(client);
      fail(items, reason, causeOf(error));
      return undefined;
    }
  };

  const finish = async (client: pg.Client, items: readonly Pending[], prepared: Prepared, started: number) => {
    failpoints?.pass('mid-group');
    failpoints?.pass('before-commit');
    try {
      await inTime(client, () => commitGroup(client));
    } catch (error) {
      const reason = commitFailure(error);
      log('error', 'A group of writes may be lost', { reason, error: causeOf(error) });
      link.drop(client);
      return fail(items, reason, causeOf(error));
    }
    failpoints?.pass('after-commit-before-ack');
    // The next group does not wait until what other processes wrote before this one has been read.
    void acknowledge(items, prepared);
    const bytes = items.reduce((sum, item) => sum + item.bytes, 0);
    const waited = started - (items[0]?.since ?? started);
    options.metrics?.group?.({ sets: items.length, bytes, waited, took: performance.now() - started });
  };

  const prepareSets = async (client: pg.Client, sets: readonly WriteSet[]): Promise<Prepared> => {
    for (let runs = 1; ; runs++) {
      try {
        return await prepareGroup(client, sets);
      } catch (error) {
        if (!isUndoneForOthers(causeOf(error)) || runs >= maxRuns) throw error;
        log('warn', 'A group of writes was undone for the sake of others, and is tried again', {
          error: causeOf(error),
        });
        await rollbackGroup(client);
      }
    }
  };

  const runSets = async (items: readonly Pending[]): Promise<void> => {
    const started = performance.now();
    const client = link.client();
    if (client === undefined) return fail(items, 'unavailable', undefined);
    const sets = items.map(({ set }) => set);
    const prepared = await attempt(client, items, () => prepareSets(client, sets));
    if (prepared !== undefined) await finish(client, items, prepared, started);
  };

  const runDecisions = async (items: readonly PendingDecision[]): Promise<void> => {
    const started = performance.now();
    const client = link.client();
    if (client === undefined) return fail(items, 'unavailable', undefined);
    const base = await attempt(client, items, () => beginAlone(client));
    if (base === undefined) return;
    const decided = await decideInTurn(items);
    const sets = decided.map(({ set }) => set);
    const prepared = await attempt(client, decided, () => prepareEach(client, base, sets));
    if (prepared !== undefined) await finish(client, decided, prepared, started);
  };

  const run = async (items: readonly Item[]): Promise<void> => {
    const sets = items.filter((item) => 'set' in item);
    const decisions = items.filter((item) => 'decide' in item);
    if (sets.length > 0) await runSets(sets);
    if (decisions.length > 0) await runDecisions(decisions);
  };

  const queue = createGroupQueue<Item>({
    run,
    bytesOf: (item) => ('set' in item ? item.bytes : 0),
    maxWaiting: options.queue?.sets ?? 4096,
    maxWaitingBytes: options.queue?.bytes ?? 64 * 1024 * 1024,
  });

  const durable = options.durability === 'relaxed' ? 'off' : 'on';
  const link = await createLink({
    connect: {
      url,
      name: 'portico writer',
      lockTimeout,
      // A process that is stopped in the middle of a group must not hold the counter from the others.
      idleInTransactionTimeout: options.idleInTransactionTimeout ?? usualIdleTimeout,
      setup: `${sessionSetup}; set synchronous_commit = ${durable}; set jit = off`,
    },
    log,
    down: () => fail(queue.takeAll(), 'unavailable', undefined),
    up: () => options.metrics?.reconnected?.(),
  });
  let closing = false;

  const push = (make: (settle: Omit<Pending, 'set' | 'bytes'>) => Item): Promise<Committed> =>
    new Promise((resolve, reject) => {
      if (closing || link.client() === undefined) {
        reject(new StorageError('unavailable', 'The database cannot be reached'));
        return;
      }
      queue.push(make({ since: performance.now(), resolve, reject }));
    });

  return {
    commit: (set) => push((settle) => ({ set, bytes: bytesOfSet(set), ...settle })),
    commitAlone: (decide) => push((settle) => ({ decide, ...settle })),
    async close() {
      closing = true;
      await queue.idle();
      await link.close();
    },
  };
}
