import { createWriteSet, type Database, StorageError, type WriteSet } from '@portico/storage';
import { moveConsumerOn, readConsumerPosition } from '@portico/storage/stores/app-services/consumers.ts';
import { type After, realTimers } from '../sync/waiting.ts';

/** One part of the work: what is between two positions, or the beginning of it. */
export type Portion = {
  /** How far it went: `upTo`, or less if there was too much for once. */
  readonly reached: number;
  /** Adds the outcome to the set that also says how far it went. */
  readonly append: (set: WriteSet) => void;
};

export type CatchUpOptions = {
  readonly db: Database;
  /** Of the row that says how far this consumer is. */
  readonly name: string;
  /** Works out what follows from what was committed after one position, up to another. */
  readonly work: (after: number, upTo: number) => Promise<Portion>;
  readonly onFailure: (error: unknown) => void;
  /** Whether there is work of which no position tells. */
  readonly hasMore?: () => boolean;
  /** Whether a change is a reason to start before somebody asks. */
  readonly concerns: (kind: string) => boolean;
  /** A guard that fails where what was read has changed since: then it is worked out anew. */
  readonly redoOn?: string;
  readonly after?: After;
};

/** Something worked out from what was committed, soon after it. */
export interface CatchUp {
  /** Resolves once everything is worked through that was committed before the call. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Work that waits for more of its kind: together it costs a fraction. */
const linger = 2000;
const pauseAfterFailure = 5000;
/** What is asked for goes on with what there is, if working through the rest takes longer. */
const patience = 10_000;

export function createCatchUp(options: CatchUpOptions): CatchUp {
  const { db, name, work, onFailure, concerns, hasMore = () => false, redoOn, after = realTimers } = options;
  let position: number | undefined;
  let running: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let closed = false;

  const isBehind = (wanted: number): boolean => !closed && ((position ?? -1) < wanted || hasMore());

  async function step(upTo: number): Promise<void> {
    const from = position ?? (await readConsumerPosition(db, name));
    position = from;
    if (from >= upTo && !hasMore()) return;
    const { reached, append } = await work(from, Math.max(from, upTo));
    const set = createWriteSet();
    moveConsumerOn(set, name, from, reached);
    append(set);
    try {
      await db.commit(set);
      position = reached;
    } catch (error) {
      // Another process was faster, or what was written is not known: the row says how far it is.
      position = undefined;
      if (!(error instanceof StorageError) || error.guard === undefined) throw error;
      if (error.guard !== 'consumer.moved' && error.guard !== redoOn) throw error;
    }
  }

  async function run(): Promise<void> {
    const upTo = db.currentPosition();
    while (isBehind(upTo)) await step(upTo);
  }

  /** At most one at a time; whoever comes while one runs waits for another one after it. */
  function start(): Promise<void> {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  }

  function later(delay: number): void {
    if (closed || cancelTimer !== undefined) return;
    cancelTimer = after(delay, () => {
      cancelTimer = undefined;
      start().catch((error: unknown) => {
        onFailure(error);
        later(pauseAfterFailure);
      });
    });
  }

  const stop = db.onChanges((batches) => {
    if (cancelTimer !== undefined || closed) return;
    for (const { changes } of batches) if (changes.some(({ kind }) => concerns(kind))) return later(linger);
  });
  later(0);

  async function catchUp(wanted: number): Promise<void> {
    while (isBehind(wanted)) await start();
  }

  return {
    async settled() {
      const wanted = db.currentPosition();
      if (!isBehind(wanted)) return;
      let cancel = (): void => {};
      const enough = new Promise<void>((resolve) => {
        cancel = after(patience, resolve);
      });
      try {
        await Promise.race([catchUp(wanted), enough]);
      } finally {
        cancel();
      }
    },
    async close() {
      closed = true;
      stop();
      cancelTimer?.();
      await running?.catch(onFailure);
    },
  };
}
