import { memberSteps } from '@portico/protocol/json/members-in-steps.ts';
import type { Database } from '@portico/storage';
import { findAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { inSteps } from '../in-steps.ts';
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

/** The content of `m.ignored_user_list`, as JSON text: it may be as large as account data may be. */
export async function parseIgnoredUsers(content: string, userId: string): Promise<ReadonlySet<string>> {
  const users = (await inSteps(memberSteps(content, ['ignored_users'])))?.get('ignored_users');
  const ignored = new Set(users?.kind === 'object' ? users.keys : []);
  // Ignoring oneself would hide one's own messages from oneself, which nobody can mean.
  ignored.delete(userId);
  return ignored.size === 0 ? nobody : ignored;
}
