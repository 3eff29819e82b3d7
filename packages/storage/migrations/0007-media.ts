import type { Migration } from './migration.ts';

/** Files that people send, and the thumbnails made of them. The bytes lie in the content store, under content IDs. */
export const media: Migration = {
  version: 7,
  name: 'media',
  statements: [
    // No content yet: the place was made for an asynchronous upload, and is given up at unused_expires_at.
    // No user: media of another server.
    `create table media (
      origin text not null,
      media_id text not null,
      user_id text,
      content_id text,
      content_type text,
      upload_name text,
      size bigint,
      sha256 text,
      created_at bigint not null,
      unused_expires_at bigint,
      primary key (origin, media_id)
    ) /* sqlite: without rowid */`,
    'create unique index media_by_content on media (content_id)',
    'create index media_by_user on media (user_id, created_at)',
    'create index media_unused_by_expiry on media (unused_expires_at) where content_id is null',
    'create index media_unused_by_user on media (user_id, unused_expires_at) where content_id is null',

    // No thumbnail ID: the original itself is what fits.
    `create table media_thumbnails (
      content_id text not null,
      variant text not null,
      thumbnail_id text,
      content_type text not null,
      size bigint not null,
      sha256 text not null,
      primary key (content_id, variant)
    ) /* sqlite: without rowid */`,
    'create unique index media_thumbnails_by_content on media_thumbnails (thumbnail_id)',
  ],
};
