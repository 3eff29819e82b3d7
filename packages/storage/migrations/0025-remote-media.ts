import type { Migration } from './migration.ts';

/** A cache of what other servers have, from which the longest unread is taken away. */
export const remoteMedia: Migration = {
  version: 25,
  name: 'remote-media',
  statements: [
    /* Milliseconds; null on this server's own media, which stay. */
    'alter table media add column read_at bigint',
    'create index media_by_reading on media (read_at, origin, media_id) where read_at is not null',
  ],
};
