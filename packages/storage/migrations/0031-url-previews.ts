import type { Migration } from './migration.ts';

/** What pages say of themselves, for a while: nobody can tell from it who asked, nor for which address. */
export const urlPreviews: Migration = {
  version: 31,
  name: 'url-previews',
  statements: [
    /* No answer: the page could not be had. Milliseconds. */
    `create table url_previews (
      url_hash text not null primary key,
      answer text,
      media_id text,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index url_previews_by_expiry on url_previews (expires_at)',
    /* Until when an image of a preview is kept; null on everything else. */
    'alter table media add column preview_until bigint',
    'create index media_previews_by_expiry on media (preview_until, origin, media_id) where preview_until is not null',
  ],
};
