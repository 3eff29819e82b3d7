import type { Migration } from './migration.ts';

/**
 * A claim moves a mark instead of deleting the key: the marks of many devices stand together on one page, their keys on a page each.
 * The keys up to the mark are claimed, and deleted when the device uploads others.
 */
export const lastClaimedKeys: Migration = {
  version: 63,
  name: 'last-claimed-keys',
  statements: [
    /* ordinal: the keys are claimed in this order. */
    `create table new_one_time_keys (
      user_id text not null,
      device_id text not null,
      algorithm text not null,
      ordinal bigint not null,
      key_id text not null,
      identity text not null,
      key text not null,
      primary key (user_id, device_id, algorithm, ordinal)
    ) /* sqlite: without rowid */`,
    `insert into new_one_time_keys (user_id, device_id, algorithm, ordinal, key_id, identity, key)
     select user_id, device_id, algorithm,
       row_number() over (partition by user_id, device_id, algorithm order by position, key_id), key_id, identity, key
     from one_time_keys`,
    'drop table one_time_keys',
    'alter table new_one_time_keys rename to one_time_keys',

    /* There is a mark for every algorithm that a device has one-time keys of: 0 where none is claimed. */
    `create table last_claimed_keys (
      user_id text not null,
      device_id text not null,
      algorithm text not null,
      ordinal bigint not null,
      primary key (user_id, device_id, algorithm)
    ) /* sqlite: without rowid */`,
    `insert into last_claimed_keys (user_id, device_id, algorithm, ordinal)
     select distinct user_id, device_id, algorithm, 0 from one_time_keys`,
  ],
};
