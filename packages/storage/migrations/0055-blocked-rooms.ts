import type { Migration } from './migration.ts';

/** Rooms that nobody of this server gets into, known here or not. */
export const blockedRooms: Migration = {
  version: 55,
  name: 'blocked-rooms',
  statements: [
    `create table blocked_rooms (
      room_id text primary key,
      blocked_by text not null,
      blocked_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index blocked_rooms_by_whom on blocked_rooms (blocked_by)',
  ],
};
