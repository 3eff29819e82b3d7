import type { Migration } from './migration.ts';

/** Connections of sliding sync, so that any process, and a later one, can go on with them. */
export const slidingSync: Migration = {
  version: 24,
  name: 'sliding-sync',
  statements: [
    /* When the room last had what counts as activity; 0 if that is not known. */
    'alter table rooms add column bump_position bigint not null default 0',

    /* base_serial: what `sliding_rooms` is the state of, which is that of an answer that the client has got. */
    `create table sliding_connections (
      connection_nid bigint primary key,
      user_id text not null,
      device_id text not null,
      conn_id text not null,
      base_serial bigint not null,
      used_at bigint not null
    )`,
    'create unique index sliding_connections_by_device on sliding_connections (user_id, device_id, conn_id)',

    /*
     * What a client has of a room. sent_to: -1 for everything up to the position that it shows, else where that ended.
     * membership: the user's own in what it has, empty if it has nothing that can be continued. config: the hash of the
     * state that it was sent.
     */
    `create table sliding_rooms (
      connection_nid bigint not null,
      room_nid bigint not null,
      sent_to bigint not null,
      timeline_limit bigint not null,
      membership text not null,
      is_dm bigint not null,
      config text not null,
      primary key (connection_nid, room_nid)
    ) /* sqlite: without rowid */`,

    /* Answers that the client may or may not have got. rooms: what they change in the state of the answer `parent`. */
    `create table sliding_answers (
      connection_nid bigint not null,
      serial bigint not null,
      parent bigint not null,
      rooms text not null,
      primary key (connection_nid, serial)
    ) /* sqlite: without rowid */`,

    /* Which entries of the state were asked for, by a hash of them. */
    `create table sliding_configs (
      connection_nid bigint not null,
      hash text not null,
      config text not null,
      primary key (connection_nid, hash)
    ) /* sqlite: without rowid */`,
  ],
};
