import type { Migration } from './migration.ts';

export const foundations: Migration = {
  version: 1,
  name: 'foundations',
  statements: [
    // One row. Whoever writes it holds it to the end of the transaction: positions are in commit order.
    `create table position_counter (
      id bigint primary key check (id = 1),
      position bigint not null
    ) /* postgres: with (fillfactor = 10) */`,
    'insert into position_counter (id, position) values (1, 0)',

    `create table id_sequences (
      name text not null primary key,
      next_id bigint not null
    ) /* sqlite: without rowid */ /* postgres: with (fillfactor = 10) */`,

    `create table server_metadata (
      key text not null primary key,
      value text not null
    ) /* sqlite: without rowid */`,

    // What other processes may want to know, one row per group. Empty on SQLite, where one process owns the database.
    `create table changes (
      position bigint primary key,
      entries text not null
    )`,
  ],
};
