import type { Migration } from './migration.ts';

/** Rooms that administrators wanted everybody of this server out of, and what became of it. */
export const roomShutdowns: Migration = {
  version: 60,
  name: 'room-shutdowns',
  statements: [
    `create table room_shutdowns (
      room_id text primary key,
      asked_at bigint not null,
      ended_at bigint,
      is_complete bigint not null
    ) /* sqlite: without rowid */`,
    'create index room_shutdowns_by_end on room_shutdowns (ended_at)',
  ],
};
