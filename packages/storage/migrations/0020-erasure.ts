import type { Migration } from './migration.ts';

/** What is left of people who are gone, and what became of the rest. */
export const erasure: Migration = {
  version: 20,
  name: 'erasure',
  statements: [
    // What exactly a job is to do, as JSON.
    'alter table account_jobs add column details text',

    // Of the people who had everything erased: when it was done, and how much of what (JSON).
    `create table erasures (
      user_id text not null primary key,
      finished_at bigint,
      report text not null
    ) /* sqlite: without rowid */`,
  ],
};
