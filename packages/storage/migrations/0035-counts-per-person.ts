import type { Migration } from './migration.ts';

/** How much of something one person has made. */
export const countsPerPerson: Migration = {
  version: 35,
  name: 'counts-per-person',
  statements: ['create index room_aliases_by_creator on room_aliases (creator)'],
};
