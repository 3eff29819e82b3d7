import type { Migration } from './migration.ts';

/**
 * One-time keys stand in the order in which they are handed out, and nowhere else: a key that is stored, and one that is taken, is
 * then written to one page instead of two.
 */
export const oneTimeKeysInOrder: Migration = {
  version: 46,
  name: 'one-time-keys-in-order',
  statements: [
    `create table new_one_time_keys (
      user_id text not null,
      device_id text not null,
      algorithm text not null,
      position bigint not null,
      key_id text not null,
      identity text not null,
      key text not null,
      primary key (user_id, device_id, algorithm, position, key_id)
    ) /* sqlite: without rowid */`,
    `insert into new_one_time_keys (user_id, device_id, algorithm, position, key_id, identity, key)
     select user_id, device_id, algorithm, position, key_id, identity, key from one_time_keys`,
    'drop table one_time_keys',
    'alter table new_one_time_keys rename to one_time_keys',
  ],
};
