import { isJsonObject, parseJson } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findAccountData } from '@portico/storage/stores/accounts-data.ts';
import { createSmallCache } from './small-cache.ts';

/** Whom people ignore, kept in memory until their account data changes. */
export interface IgnoredUsers {
  of(userId: string): Promise<ReadonlySet<string>>;
  /** At once, if it is in memory. */
  known(userId: string): ReadonlySet<string> | undefined;
}

const nobody: ReadonlySet<string> = new Set();
const maxUsers = 20_000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#ignoring-users} */
export function createIgnoredUsers(db: Database): IgnoredUsers {
  const cache = createSmallCache<string, ReadonlySet<string>>(maxUsers);
  const loads = new Map<string, Promise<ReadonlySet<string>>>();

  db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== 'account_data' || typeof key !== 'string') continue;
        cache.delete(key);
        // A load under way may have read what was there before: whoever asks from now on reads again.
        loads.delete(key);
      }
    }
  });

  async function load(userId: string): Promise<ReadonlySet<string>> {
    const row = await findAccountData(db, userId, '', 'm.ignored_user_list');
    return row === undefined ? nobody : parseIgnored(row.content, userId);
  }

  return {
    known: (userId) => cache.get(userId),
    of(userId) {
      const known = cache.get(userId);
      if (known !== undefined) return Promise.resolve(known);
      const underWay = loads.get(userId);
      if (underWay !== undefined) return underWay;
      const loading = load(userId).then(
        (ignored) => {
          if (loads.get(userId) === loading) {
            loads.delete(userId);
            cache.set(userId, ignored);
          }
          return ignored;
        },
        (error: unknown) => {
          if (loads.get(userId) === loading) loads.delete(userId);
          throw error;
        },
      );
      loads.set(userId, loading);
      return loading;
    },
  };
}

function parseIgnored(content: string, userId: string): ReadonlySet<string> {
  const value = parseJson(content);
  const users = isJsonObject(value) ? value['ignored_users'] : undefined;
  if (!isJsonObject(users)) return nobody;
  // Ignoring oneself would hide one's own messages from oneself, which nobody can mean.
  const ignored = new Set(Object.keys(users).filter((user) => user !== userId));
  return ignored.size === 0 ? nobody : ignored;
}
