import { createWriteSet, type Database } from '@portico/storage';
import { addSightings, readSightings, removeSightings } from '@portico/storage/stores/presence/presence-told.ts';

/**
 * Whom people, and application services, were ever shown as online: when they come back, also after a restart and by way of
 * another process, nobody may stay online for them whom they cannot see any more. Each time, only what is new is stored.
 */
export interface ShownMemory {
  take(viewer: string): Promise<readonly string[]>;
  /** They are about to be shown somebody for the first time. */
  grew(viewer: string, person: string): void;
  /** Nobody keeps in mind any more that they were shown somebody. */
  shrank(viewer: string, person: string): void;
  /** To be awaited before they are shown anything: the process may be killed right after. `undefined` if all is stored. */
  stored(viewer: string): Promise<void> | undefined;
  close(): Promise<void>;
}

type Dependencies = { readonly db: Database; readonly onFailure: (error: unknown) => void };

type News = { readonly added: Set<string>; readonly removed: Set<string> };

/** As many people as are kept in mind for one who is shown them. */
export const maxShown = 20_000;
const perCommit = 200;

export function createShownMemory({ db, onFailure }: Dependencies): ShownMemory {
  const pending = new Map<string, News>();
  const storing = new Map<string, Promise<void>>();

  function newsOf(viewer: string): News {
    let news = pending.get(viewer);
    if (news === undefined) {
      news = { added: new Set(), removed: new Set() };
      pending.set(viewer, news);
    }
    return news;
  }

  async function store(viewers: readonly (readonly [string, News])[]): Promise<void> {
    const set = createWriteSet();
    for (const [viewer, { added, removed }] of viewers) {
      if (added.size > 0) addSightings(set, viewer, [...added]);
      if (removed.size > 0) removeSightings(set, viewer, [...removed]);
    }
    await db.commit(set);
  }

  function stored(viewer: string): Promise<void> | undefined {
    const news = pending.get(viewer);
    const underWay = storing.get(viewer);
    if (news === undefined) return underWay;
    pending.delete(viewer);
    const work = Promise.all([underWay, store([[viewer, news]])])
      .then(() => undefined)
      .catch((error: unknown) => {
        // What cannot be stored now is with what is stored next.
        for (const person of news.added) newsOf(viewer).added.add(person);
        onFailure(error);
      })
      .finally(() => {
        if (storing.get(viewer) === work) storing.delete(viewer);
      });
    storing.set(viewer, work);
    return work;
  }

  return {
    async take(viewer) {
      await stored(viewer);
      return readSightings(db, viewer, maxShown);
    },
    grew(viewer, person) {
      const { added, removed } = newsOf(viewer);
      removed.delete(person);
      added.add(person);
    },
    shrank(viewer, person) {
      const { added, removed } = newsOf(viewer);
      added.delete(person);
      removed.add(person);
    },
    stored,
    async close() {
      await Promise.all(storing.values());
      const left = [...pending];
      pending.clear();
      for (let start = 0; start < left.length; start += perCommit) await store(left.slice(start, start + perCommit));
    },
  };
}
