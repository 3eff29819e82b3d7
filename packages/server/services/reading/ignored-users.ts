import { isJsonObject, parseJson } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findAccountData } from '@portico/storage/stores/accounts-data.ts';
import { type AccountDataMemory, createAccountDataMemory } from './account-data-memory.ts';

/** Whom people ignore. */
export type IgnoredUsers = AccountDataMemory<ReadonlySet<string>>;

export const ignoredUserList = 'm.ignored_user_list';

const nobody: ReadonlySet<string> = new Set();
const maxUsers = 20_000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#ignoring-users} */
export function createIgnoredUsers(db: Database): IgnoredUsers {
  return createAccountDataMemory(db, {
    maxWeight: maxUsers,
    async load(userId) {
      const row = await findAccountData(db, userId, '', ignoredUserList);
      return row === undefined ? nobody : parseIgnoredUsers(row.content, userId);
    },
  });
}

/** The content of `m.ignored_user_list`, as JSON text. */
export function parseIgnoredUsers(content: string, userId: string): ReadonlySet<string> {
  const value = parseJson(content);
  const users = isJsonObject(value) ? value['ignored_users'] : undefined;
  if (!isJsonObject(users)) return nobody;
  // Ignoring oneself would hide one's own messages from oneself, which nobody can mean.
  const ignored = new Set(Object.keys(users).filter((user) => user !== userId));
  return ignored.size === 0 ? nobody : ignored;
}
