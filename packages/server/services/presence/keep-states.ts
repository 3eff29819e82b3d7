import { createWriteSet, type Database } from '@portico/storage';
import { readPresent, setPresence } from '@portico/storage/stores/presence/presence.ts';
import type { After } from '../sync/waiting.ts';
import type { OwnPeople } from './own-people.ts';

/**
 * Stores what people were last, so that it survives a restart: who comes or goes soon, so that after the process was killed
 * nobody stays online who is not, and the rest now and then.
 */
export interface KeepStates {
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly own: Pick<OwnPeople, 'takeChanged' | 'restore' | 'onComingAndGoing'>;
  readonly after: After;
  readonly onFailure: (error: unknown) => void;
};

const interval = 60_000;
const soon = 1000;
const perCommit = 500;
const maxRestored = 20_000;

export async function keepStates({ db, own, after, onFailure }: Dependencies): Promise<KeepStates> {
  own.restore(await readPresent(db, maxRestored));
  let writing: Promise<void> = Promise.resolve();
  let stopTimer = after(interval, tick);
  let stopSoon: (() => void) | undefined;

  async function write(): Promise<void> {
    for (;;) {
      const rows = own.takeChanged(perCommit);
      if (rows.length === 0) return;
      const set = createWriteSet();
      for (const row of rows) setPresence(set, row);
      await db.commit(set);
    }
  }

  function store(): void {
    writing = writing.then(write).catch(onFailure);
  }

  function tick(): void {
    store();
    stopTimer = after(interval, tick);
  }

  own.onComingAndGoing(() => {
    stopSoon ??= after(soon, () => {
      stopSoon = undefined;
      store();
    });
  });

  return {
    async close() {
      stopTimer();
      stopSoon?.();
      await writing;
      await write();
    },
  };
}
