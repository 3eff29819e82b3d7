import type { Migration } from './migration.ts';

/** How far application services have got, whose rooms interest them, and the rooms that they list. */
export const appServices: Migration = {
  version: 21,
  name: 'app-services',
  statements: [
    /*
     * Everything up to `position` has been delivered. A transaction under way goes from there to `up_to`; txn_id is its
     * number, or that of the last one. user_namespaces: what app_service_members was made with. owner: the process that
     * delivers, as long as its lease lasts.
     */
    `create table app_services (
      service_id text not null primary key,
      position bigint not null,
      txn_id bigint not null,
      up_to bigint,
      failures bigint not null,
      retry_at bigint not null,
      user_namespaces text not null,
      owner text not null,
      lease_until bigint not null
    ) /* sqlite: without rowid */`,
    /* The joined users in whom a service is interested, as of its position. */
    `create table app_service_members (
      service_id text not null,
      room_nid bigint not null,
      user_id text not null,
      primary key (service_id, room_nid, user_id)
    ) /* sqlite: without rowid */`,
    'create index events_by_position on events (stream_position) where stream_position is not null',
    'create index to_device_by_position on to_device_messages (position, user_id)',

    /* Rooms that a service lists in the directory of one of its networks. */
    `create table network_rooms (
      service_id text not null,
      network_id text not null,
      room_nid bigint not null,
      primary key (service_id, network_id, room_nid)
    ) /* sqlite: without rowid */`,
    'create index network_rooms_by_room on network_rooms (room_nid)',
  ],
};
