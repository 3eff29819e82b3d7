import type { Migration } from './migration.ts';

/** What of presence outlives the process: statuses, and who has been shown whom. */
export const presence: Migration = {
  version: 18,
  name: 'presence',
  statements: [
    `create table presence_states (
      user_id text not null primary key,
      presence text not null,
      status_msg text,
      last_active bigint
    ) /* sqlite: without rowid */`,
    /* shown: a JSON array of those whom somebody was shown as anything but offline. */
    `create table presence_shown (
      user_id text not null primary key,
      shown text not null
    ) /* sqlite: without rowid */`,
  ],
};
