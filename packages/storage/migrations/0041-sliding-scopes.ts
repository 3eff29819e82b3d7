import type { Migration } from './migration.ts';

/** What a connection of sliding sync misses of a room that it has, since an extension was for other rooms. */
export const slidingScopes: Migration = {
  version: 41,
  name: 'sliding-scopes',
  statements: [
    /* Letters of extensions. */
    `alter table sliding_rooms add column behind text not null default ''`,
  ],
};
