import type { Migration } from './migration.ts';

/** Finds the few administrators among all accounts. */
export const administrators: Migration = {
  version: 56,
  name: 'administrators',
  statements: ['create index accounts_administrators on accounts (user_id) where is_admin = 1'],
};
