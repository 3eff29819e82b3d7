import { Worker } from 'node:worker_threads';
import type { Committed, CommittedChanges, WriteSet } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import type { StorageErrorReason } from '../../errors.ts';
import type { ChangeFeed } from '../change-feed.ts';
import { createGroupQueue } from '../group-queue.ts';
import type { OpenOptions, StorageLog } from '../options.ts';
import { advanceOf, positionsFrom, returningCount } from '../settle.ts';
import type { Pending } from '../settle.ts';
import { decideInTurn } from '../turn.ts';
import type { Decide, PendingDecision } from '../turn.ts';
import { bytesOf, createEncoder } from './protocol.ts';
import type { EncodedSet, Encoder, FromWriter, SetFailure, ToWriter, WriterSettings } from './protocol.ts';

export type Writer = {
  readonly commit: (set: WriteSet) => Promise<Committed>;
  readonly commitAlone: (decide: Decide) => Promise<Committed>;
  /** Commits what takes no position; also during a turn, whose decisions may be what waits for it. */
  readonly reserve: (set: WriteSet) => Promise<Committed>;
  readonly close: () => Promise<void>;
};

export type WriterOptions = {
  readonly settings: WriterSettings;
  readonly feed: ChangeFeed;
  readonly log: StorageLog;
  readonly options: OpenOptions;
};

type Item = Pending & { readonly encoded: EncodedSet };
type Group = {
  readonly items: readonly Item[];
  readonly bytes: number;
  readonly waited: number;
  readonly done: () => void;
};
type Thread = { readonly worker: Worker; readonly encoder: Encoder; alive: boolean };

/** Milliseconds. */
const firstRespawn = 100;
const longestRespawn = 5000;

/** The main thread's side of the thread that owns the connection for writes. */
export function createWriter({ settings, feed, log, options }: WriterOptions): Writer {
  let thread: Thread | undefined;
  let running: Group | undefined;
  let closing = false;
  /** During a turn: the end of what was reserved in it. */
  let reservations: Promise<void> | undefined;
  let respawnAfter = firstRespawn;
  let whenClosed: (() => void) | undefined;

  const fail = (items: readonly Pick<Item, 'reject'>[], reason: StorageErrorReason, cause: unknown) => {
    const message = cause instanceof Error ? cause.message : 'The database writer is not available';
    for (const { reject } of items) reject(new StorageError(reason, message, { cause }));
  };

  const failureOf = ({ set }: Item, { write, error }: SetFailure): unknown => {
    if (write < 0) return error;
    const guard = set.writes[write]?.guard;
    return new StorageError('guard-failed', `The guard ${guard} did not hold`, guard === undefined ? {} : { guard });
  };

  const settle = (
    { items }: Group,
    base: number,
    failures: readonly SetFailure[],
    returned: readonly (readonly unknown[])[],
  ) => {
    const failed = new Map(failures.map((failure) => [failure.set, failure]));
    const outcomes: (() => void)[] = [];
    const batch: CommittedChanges[] = [];
    let position = base;
    let row = 0;
    items.forEach((item, index) => {
      const failure = failed.get(index);
      if (failure !== undefined) {
        outcomes.push(() => item.reject(failureOf(item, failure)));
        return;
      }
      const rows = row + returningCount(item.set);
      const committed = { positions: positionsFrom(position, item.set), returned: returned.slice(row, rows) };
      row = rows;
      position += advanceOf(item.set);
      if (item.set.changes.length > 0) batch.push({ position, changes: item.set.changes });
      outcomes.push(() => item.resolve(committed));
    });
    // Whoever waits for the acknowledgement finds the caches up to date.
    feed.advance(position, batch);
    for (const outcome of outcomes) outcome();
  };

  const onMessage = (message: FromWriter) => {
    switch (message[0]) {
      case 'committed': {
        const group = running;
        if (group === undefined) return;
        running = undefined;
        const [, base, took, failures, returned] = message;
        settle(group, base, failures ?? [], returned ?? []);
        options.metrics?.group?.({ sets: group.items.length, bytes: group.bytes, waited: group.waited, took });
        group.done();
        return;
      }
      case 'failed': {
        const group = running;
        if (group === undefined) return;
        running = undefined;
        log('error', 'The database could not take a group of writes', {
          reason: message[1].reason,
          error: message[1].error,
        });
        fail(group.items, message[1].reason, message[1].error);
        group.done();
        return;
      }
      case 'checkpoint':
        options.metrics?.checkpoint?.({ pages: message[1], took: message[2] });
        return;
      case 'checkpoint-failed':
        log('error', 'The log of the database could not be moved into it', { error: message[1] });
        return;
      case 'ready':
        respawnAfter = firstRespawn;
        feed.advance(message[1], []);
        return;
      case 'closed':
        whenClosed?.();
        return;
    }
  };

  const onCrash = (crashed: Thread, cause: unknown) => {
    if (!crashed.alive) return;
    crashed.alive = false;
    thread = undefined;
    if (closing) {
      whenClosed?.();
      return;
    }
    log('error', 'The database writer thread ended; it is started again', { error: cause });
    const group = running;
    running = undefined;
    if (group !== undefined) fail(group.items, 'outcome-unknown', cause);
    fail(queue.takeAll(), 'unavailable', cause);
    group?.done();
    setTimeout(spawn, respawnAfter);
    respawnAfter = Math.min(respawnAfter * 2, longestRespawn);
  };

  const spawn = () => {
    if (closing) return;
    const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: settings, execArgv: [] });
    const spawned: Thread = { worker, encoder: createEncoder(), alive: true };
    worker.on('message', onMessage);
    worker.on('error', (error) => onCrash(spawned, error));
    worker.on('exit', () => onCrash(spawned, undefined));
    thread = spawned;
  };

  const runSets = (items: readonly Item[]): Promise<void> =>
    new Promise((done) => {
      const now = performance.now();
      if (thread === undefined) {
        fail(items, 'unavailable', undefined);
        done();
        return;
      }
      let bytes = 0;
      for (const item of items) bytes += item.bytes;
      running = { items, bytes, waited: now - (items[0]?.since ?? now), done };
      const message: ToWriter = [thread.encoder.takeDefinitions(), items.map(({ encoded }) => encoded)];
      thread.worker.postMessage(message);
    });

  const runDecisions = async (decisions: readonly PendingDecision[]): Promise<void> => {
    reservations = Promise.resolve();
    const decided = await decideInTurn(decisions);
    const last = reservations;
    reservations = undefined;
    await last;
    const items: Item[] = [];
    for (const item of decided) {
      try {
        if (thread === undefined) fail([item], 'unavailable', undefined);
        else items.push({ ...item, encoded: thread.encoder.encode(item.set) });
      } catch (error) {
        item.reject(error);
      }
    }
    if (items.length > 0) await runSets(items);
  };

  const run = async (waiting: readonly (Item | PendingDecision)[]): Promise<void> => {
    const items = waiting.filter((item) => 'set' in item);
    const decisions = waiting.filter((item) => 'decide' in item);
    if (items.length > 0) await runSets(items);
    if (decisions.length > 0) await runDecisions(decisions);
  };

  const queue = createGroupQueue<Item | PendingDecision>({
    run,
    bytesOf: (item) => ('set' in item ? item.bytes : 0),
    maxWaiting: options.queue?.sets ?? 4096,
    maxWaitingBytes: options.queue?.bytes ?? 64 * 1024 * 1024,
  });
  spawn();

  const push = (set: WriteSet, enqueue: (item: Item) => void): Promise<Committed> =>
    new Promise((resolve, reject) => {
      if (thread === undefined || closing) {
        reject(new StorageError('unavailable', 'The database writer is not available'));
        return;
      }
      const encoded = thread.encoder.encode(set);
      enqueue({ set, encoded, bytes: bytesOf(encoded), since: performance.now(), resolve, reject });
    });

  return {
    commit: (set) => push(set, queue.push),
    reserve: (set) =>
      push(set, (item) => {
        if (reservations === undefined) queue.push(item);
        else reservations = reservations.then(() => runSets([item]));
      }),
    commitAlone: (decide) =>
      new Promise((resolve, reject) => {
        if (closing) reject(new StorageError('unavailable', 'The database is being closed'));
        else queue.push({ decide, since: performance.now(), resolve, reject });
      }),
    async close() {
      closing = true;
      await queue.idle();
      const worker = thread?.worker;
      if (worker === undefined) return;
      await new Promise<void>((resolve) => {
        whenClosed = resolve;
        worker.postMessage('close' satisfies ToWriter);
      });
      await worker.terminate();
    },
  };
}
