import type { Migration } from './migration.ts';

/** Administrators delete files of this server that nobody has read for long. */
export const useOfMedia: Migration = {
  version: 69,
  name: 'use-of-media',
  statements: [
    // Whole days since 1970, and of nobody in particular; null as long as nobody has read it, and for other servers' media.
    'alter table media add column last_read_day bigint',
    // When those that are there already were read, nobody knows: it counts as the day of the latest upload.
    `update media set last_read_day = (select max(created_at) / 86400000 from media)
      where content_id is not null and read_at is null`,
  ],
};
