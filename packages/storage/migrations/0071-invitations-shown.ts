import type { Migration } from './migration.ts';

/** Whoever could see an invitation hears of its end, also where they have changed their rules since; nobody else does. */
export const invitationsShown: Migration = {
  version: 71,
  name: 'invitations-shown',
  statements: [
    // Whether the person could see it by rules that they have changed since.
    'alter table membership_changes add column was_shown bigint not null default 0',
  ],
};
