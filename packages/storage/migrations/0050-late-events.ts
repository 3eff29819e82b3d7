import type { Migration } from './migration.ts';

/** Events whose servers have been answered although what they build on is still being fetched. */
export const lateEvents: Migration = {
  version: 50,
  name: 'late-events',
  statements: [
    `create table late_events (
      event_id text not null primary key,
      room_id text not null,
      origin text not null,
      pdu text not null,
      /* How often a process has begun to fetch for it after its start: what ends one must not end every next one. */
      attempts bigint not null default 0
    ) /* sqlite: without rowid */`,
  ],
};
