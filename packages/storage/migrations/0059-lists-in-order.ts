import type { Migration } from './migration.ts';

/** Orders in which administrators list accounts and rooms of which there are more than can be sorted. */
export const listsInOrder: Migration = {
  version: 59,
  name: 'lists-in-order',
  statements: [
    'create index accounts_by_admin on accounts (is_admin, user_id)',
    'create index accounts_by_locked on accounts (locked, user_id)',
    'create index accounts_by_suspended on accounts (suspended, user_id)',
    'create index rooms_by_size on rooms (joined_count desc, room_nid)',
  ],
};
