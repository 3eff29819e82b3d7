import { parseJson } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findShownPresence, setShownPresence } from '@portico/storage/stores/presence.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import type { Viewer } from './viewers.ts';

/**
 * Whom people were shown as online before they stopped syncing: when they come back, also after a restart, nobody may
 * stay online for them whom they cannot see any more.
 */
export interface ShownMemory {
  put(viewer: Viewer): void;
  take(userId: string): Promise<readonly string[]>;
  /** Stores what those who are still syncing were shown. */
  store(viewers: Iterable<Viewer>): Promise<void>;
}

const maxViewers = 20_000;
const maxStored = 5000;
const perCommit = 200;

export function createShownMemory(db: Database): ShownMemory {
  const asleep = createSmallCache<string, readonly string[]>(maxViewers);

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
    async store(viewers) {
      let set = createWriteSet();
      for (const { userId, shown } of viewers) {
        const latest = [...shown.keys()].slice(-maxStored);
        setShownPresence(set, userId, JSON.stringify(latest));
        if (set.writes.length < perCommit) continue;
        await db.commit(set);
        set = createWriteSet();
      }
      if (set.writes.length > 0) await db.commit(set);
    },
  };
}
