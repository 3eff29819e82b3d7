import type { Migration } from './migration.ts';

/** The room in which the server speaks to each of its people. */
export const serverNotices: Migration = {
  version: 23,
  name: 'server-notices',
  statements: [
    `create table server_notice_rooms (
      user_id text not null primary key,
      room_id text not null
    ) /* sqlite: without rowid */`,
  ],
};
