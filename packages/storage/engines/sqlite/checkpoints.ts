import type { DatabaseSync } from 'node:sqlite';
import type { Failpoints } from '../failpoints.ts';

export type Checkpoints = {
  /** To be called after every group, once its acknowledgement is sent. */
  readonly afterGroup: () => void;
  readonly stop: () => void;
};

export type CheckpointOptions = {
  readonly failpoints: Failpoints | undefined;
  readonly done: (pages: number, took: number) => void;
  /** The log keeps what could not be moved; the next checkpoint tries again. */
  readonly failed: (error: unknown) => void;
};

/** Pages of 4 KiB in the log at which a busy writer stops to move them into the database. */
const busyPages = 2000;
const quietPages = 100;
const quietMilliseconds = 250;
const groupsBetweenLooks = 8;

/**
 * Moves the log into the database between groups: when it has grown, or in a quiet moment, so that under an even load
 * there are many short pauses and not a few long ones, and a start after a crash has little to recover.
 */
export function createCheckpoints(db: DatabaseSync, options: CheckpointOptions): Checkpoints {
  const look = db.prepare('pragma wal_checkpoint(noop)');
  const move = db.prepare('pragma wal_checkpoint(passive)');
  let groups = 0;
  let seen = 0;
  let timer: NodeJS.Timeout | undefined;

  const checkpointAbove = (pages: number) => {
    const before = look.get();
    const waiting = Number(before?.['log']) - Number(before?.['checkpointed']);
    if (waiting < pages) return;
    options.failpoints?.pass('during-checkpoint');
    const started = performance.now();
    try {
      move.get();
      options.done(waiting, performance.now() - started);
    } catch (error) {
      options.failed(error);
    }
  };

  const whenQuiet = () => {
    timer = undefined;
    if (groups !== seen) return arm();
    checkpointAbove(quietPages);
  };

  const arm = () => {
    seen = groups;
    timer = setTimeout(whenQuiet, quietMilliseconds);
  };

  return {
    afterGroup() {
      groups++;
      if (groups % groupsBetweenLooks === 0) checkpointAbove(busyPages);
      if (timer === undefined) arm();
    },
    stop: () => clearTimeout(timer),
  };
}
