import type { Migration } from './migration.ts';

/** Whom one finds in the user directory follows from who may read a room, too: it is worked out anew. */
export const readableRoomsInDirectory: Migration = {
  version: 61,
  name: 'readable-rooms-in-directory',
  statements: [
    'drop index join_rules_to_consume',
    `create index openness_to_consume on events (stream_position)
      where type in ('m.room.join_rules', 'm.room.history_visibility')`,
    `update consumers set position = 0 where name = 'user-directory'`,
  ],
};
