import type { Migration } from './migration.ts';

/** The newest accounts, for administrators. */
export const accountsByCreation: Migration = {
  version: 58,
  name: 'accounts-by-creation',
  statements: ['create index accounts_by_creation on accounts (created_at, user_id)'],
};
