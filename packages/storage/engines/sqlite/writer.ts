import type { Committed, WriteSet } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import type { StorageErrorReason } from '../../errors.ts';
import type { ChangeFeed } from '../change-feed.ts';
import { createGroupQueue } from '../group-queue.ts';
import type { OpenOptions, StorageLog } from '../options.ts';
import type { Pending } from '../settle.ts';
import { decideInTurn } from '../turn.ts';
import type { Decide, PendingDecision } from '../turn.ts';
import { groupOutcomes } from './group-outcomes.ts';
import { createKeptThread } from './kept-thread.ts';
import { bytesOf } from './protocol.ts';
import type { EncodedSet, FromWriter, WriterSettings } from './protocol.ts';

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
type GroupCommitted = Extract<FromWriter, { readonly 0: 'committed' }>;
type Group = {
  readonly items: readonly Item[];
  readonly bytes: number;
  readonly waited: number;
  readonly done: () => void;
};
/** The main thread's side of the thread that owns the connection for writes. */
export function createWriter({ settings, feed, log, options }: WriterOptions): Writer {
  let running: Group | undefined;
  let closing = false;
  /** During a turn: the end of what was reserved in it. */
  let reservations: Promise<void> | undefined;

  const fail = (items: readonly Pick<Item, 'reject'>[], reason: StorageErrorReason, cause: unknown) => {
    const message = cause instanceof Error ? cause.message : 'The database writer is not available';
    for (const { reject } of items) reject(new StorageError(reason, message, { cause }));
  };

  const settle = ({ items }: Group, [, base, , failures = [], returned = []]: GroupCommitted) => {
    const sets = items.map(({ set }) => set);
    const { position, batch, outcomes } = groupOutcomes(sets, { base, failures, returned });
    // Whoever waits for the acknowledgement finds the caches up to date.
    feed.advance(position, batch);
    items.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index];
      if (outcome?.kind === 'committed') resolve(outcome.committed);
      else reject(outcome?.error);
    });
  };

  const onMessage = (message: FromWriter) => {
    switch (message[0]) {
      case 'committed': {
        const group = running;
        if (group === undefined) return;
        running = undefined;
        settle(group, message);
        options.metrics?.group?.({
          sets: group.items.length,
          bytes: group.bytes,
          waited: group.waited,
          took: message[2],
        });
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
        feed.advance(message[1], []);
        return;
      case 'closed':
        return;
    }
  };

  const onEnd = (cause: unknown) => {
    const group = running;
    running = undefined;
    if (group !== undefined) fail(group.items, 'outcome-unknown', cause);
    fail(queue.takeAll(), 'unavailable', cause);
    group?.done();
  };
  const thread = createKeptThread({ settings, log, onMessage, onEnd });

  const runSets = (items: readonly Item[]): Promise<void> =>
    new Promise((done) => {
      const now = performance.now();
      const writer = thread.current();
      if (writer === undefined) {
        fail(items, 'unavailable', undefined);
        done();
        return;
      }
      let bytes = 0;
      for (const item of items) bytes += item.bytes;
      running = { items, bytes, waited: now - (items[0]?.since ?? now), done };
      writer.post([writer.encoder.takeDefinitions(), items.map(({ encoded }) => encoded)]);
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
        const writer = thread.current();
        if (writer === undefined) fail([item], 'unavailable', undefined);
        else items.push({ ...item, encoded: writer.encoder.encode(item.set) });
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

  const push = (set: WriteSet, enqueue: (item: Item) => void): Promise<Committed> =>
    new Promise((resolve, reject) => {
      const writer = thread.current();
      if (writer === undefined || closing) {
        reject(new StorageError('unavailable', 'The database writer is not available'));
        return;
      }
      const encoded = writer.encoder.encode(set);
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
      await thread.close();
    },
  };
}
