import type { Migration } from './migration.ts';

/** Media that nobody is given, here or not; and media of this server that are not to become that with others of a person. */
export const quarantinedMedia: Migration = {
  version: 57,
  name: 'quarantined-media',
  statements: [
    `create table quarantined_media (
      origin text not null,
      media_id text not null,
      quarantined_by text not null,
      quarantined_at bigint not null,
      primary key (origin, media_id)
    ) /* sqlite: without rowid */`,
    'create index quarantined_media_by_whom on quarantined_media (quarantined_by)',
    'alter table media add column is_protected bigint not null default 0',
  ],
};
