import type { CommittedChanges } from '../database.ts';
import type { StorageLog } from './options.ts';

type Listener = (batch: readonly CommittedChanges[]) => void;

export type ChangeFeed = {
  readonly position: () => number;
  readonly listen: (listener: Listener) => () => void;
  /** Everything up to `position` is known now; `batch` is what of it carries changes, in order. */
  readonly advance: (position: number, batch: readonly CommittedChanges[]) => void;
};

/** The one place where the process learns what was committed, in the order of positions. */
export function createChangeFeed(start: number, log: StorageLog): ChangeFeed {
  const listeners = new Set<Listener>();
  let reached = start;

  return {
    position: () => reached,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    advance(position, batch) {
      reached = Math.max(reached, position);
      if (batch.length === 0) return;
      for (const listener of listeners) {
        try {
          listener(batch);
        } catch (error) {
          // One listener's defect must not keep the changes from the others, nor a commit from being acknowledged.
          log('error', 'A listener for changes failed', { error });
        }
      }
    },
  };
}
