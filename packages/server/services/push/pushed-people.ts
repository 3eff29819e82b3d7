import type { Database } from '@portico/storage';
import { readPushedAmong, readPushedUsers } from '@portico/storage/stores/push/push-deliveries.ts';

/** Who has pushers: nothing is done for anybody else. */
export interface PushedPeople {
  /** May say so of somebody whose last pusher has just gone. */
  has(userId: string): boolean;
  readonly size: number;
  close(): void;
}

type Dependencies = { readonly db: Database; readonly onFailure: (error: unknown) => void };

export async function createPushedPeople({ db, onFailure }: Dependencies): Promise<PushedPeople> {
  const changed = new Set<string>();
  let people: Set<string> | undefined;
  let looking: Promise<void> | undefined;

  async function look(among: Set<string>): Promise<void> {
    while (changed.size > 0) {
      const asked = [...changed];
      changed.clear();
      const found = new Set(await readPushedAmong(db, asked));
      for (const userId of asked) if (!found.has(userId) && !changed.has(userId)) among.delete(userId);
    }
  }

  function lookSoon(): void {
    if (people === undefined || changed.size === 0) return;
    looking ??= look(people)
      .catch(onFailure)
      .finally(() => {
        looking = undefined;
        lookSoon();
      });
  }

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== 'pushers' || typeof key !== 'string') continue;
        // Until it is known better.
        people?.add(key);
        changed.add(key);
      }
    }
    lookSoon();
  });

  people = new Set([...(await readPushedUsers(db)), ...changed]);
  lookSoon();
  return {
    has: (userId) => people.has(userId),
    get size() {
      return people.size;
    },
    close: stop,
  };
}
