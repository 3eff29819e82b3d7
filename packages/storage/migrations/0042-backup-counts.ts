import type { Migration } from './migration.ts';

/** How many keys a backup has, which every upload is told, without counting them. */
export const backupCounts: Migration = {
  version: 42,
  name: 'backup-counts',
  statements: [
    'alter table key_backups add column key_count bigint not null default 0',
    `update key_backups set key_count = (
       select count(*) from backed_up_keys k
       where k.user_id = key_backups.user_id and k.version = key_backups.version)`,
  ],
};
