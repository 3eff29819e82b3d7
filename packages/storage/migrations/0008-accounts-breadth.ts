import type { Migration } from './migration.ts';

/** Access tokens that expire and are refreshed, and what is left to do in rooms when an account has changed. */
export const accountsBreadth: Migration = {
  version: 8,
  name: 'accounts-breadth',
  statements: [
    // The refresh token that this access token came of, until it is first used: then that one is revoked.
    'alter table access_tokens add column replaces_token_hash text',
    // Revoked tokens are kept for a while, so that using one again is noticed.
    'alter table refresh_tokens add column revoked_at bigint',
    'alter table accounts add column erase_requested_at bigint',

    // One row for what is under way in all rooms of a person. due_at: also when a claim on it ends.
    `create table account_jobs (
      user_id text not null,
      kind text not null,
      claim text,
      after_room_nid bigint not null,
      due_at bigint not null,
      attempts bigint not null,
      primary key (user_id, kind)
    ) /* sqlite: without rowid */`,
    'create index account_jobs_by_due on account_jobs (due_at)',
  ],
};
