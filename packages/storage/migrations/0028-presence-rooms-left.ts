import type { Migration } from './migration.ts';

/** Who is to take rooms that people have left out of their lists for presence. */
export const presenceRoomsLeft: Migration = {
  version: 28,
  name: 'presence-rooms-left',
  statements: [`insert into consumers (name, position) values ('presence-rooms-left', 0)`],
};
