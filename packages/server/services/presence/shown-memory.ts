import { parseJson } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findShownPresence, removeShownPresence, setShownPresence } from '@portico/storage/stores/presence.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import type { After } from '../sync/waiting.ts';

/** Somebody who is shown others: a person who syncs, or an application service. */
export type Shown = { readonly userId: string; readonly shown: { keys(): Iterable<string> } };

/**
 * Whom people were shown as online before they stopped syncing: when they come back, also after a restart, nobody may
 * stay online for them whom they cannot see any more.
 */
export interface ShownMemory {
  put(viewer: Shown): void;
  take(userId: string): Promise<readonly string[]>;
  /** They were shown somebody for the first time. It is stored soon: the process may be killed. */
  grew(viewer: Shown): void;
  /** Stores what those who are still syncing were shown. */
  close(viewers: Iterable<Shown>): Promise<void>;
}

type Dependencies = { readonly db: Database; readonly after: After; readonly onFailure: (error: unknown) => void };

const maxViewers = 20_000;
const maxStored = 5000;
const perCommit = 200;
const soon = 1000;

export function createShownMemory({ db, after, onFailure }: Dependencies): ShownMemory {
  const asleep = createSmallCache<string, readonly string[]>(maxViewers);
  const grown = new Map<string, Shown>();
  let stopTimer: (() => void) | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function store(viewers: Iterable<Shown>): Promise<void> {
    let set = createWriteSet();
    for (const { userId, shown } of viewers) {
      const latest = Array.from(shown.keys()).slice(-maxStored);
      if (latest.length === 0) removeShownPresence(set, userId);
      else setShownPresence(set, userId, JSON.stringify(latest));
      if (set.writes.length < perCommit) continue;
      await db.commit(set);
      set = createWriteSet();
    }
    if (set.writes.length > 0) await db.commit(set);
  }

  function watch(): void {
    stopTimer ??= after(soon, () => {
      stopTimer = undefined;
      const due = Array.from(grown.values()).slice(0, perCommit);
      for (const { userId } of due) grown.delete(userId);
      writing = writing.then(() => store(due)).catch(onFailure);
      if (grown.size > 0) watch();
    });
  }

  return {
    put: ({ userId, shown }) => asleep.set(userId, [...shown.keys()]),
    async take(userId) {
      const known = asleep.get(userId);
      if (known !== undefined) {
        asleep.delete(userId);
        return known;
      }
      const stored = await findShownPresence(db, userId);
      const list = stored === undefined ? [] : parseJson(stored);
      return Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
    },
    grew(viewer) {
      grown.set(viewer.userId, viewer);
      watch();
    },
    async close(viewers) {
      stopTimer?.();
      await writing;
      await store([...grown.values(), ...viewers]);
    },
  };
}
