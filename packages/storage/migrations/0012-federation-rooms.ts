import type { Migration } from './migration.ts';

/** How far other servers have got, and what is passed on to them. */
export const federationRooms: Migration = {
  version: 12,
  name: 'federation-rooms',
  statements: [
    // What a server still has to be sent follows from `position`: everything after it in the rooms that it is in.
    `create table federation_destinations (
      host text not null primary key,
      position bigint not null,
      failures bigint not null,
      retry_at bigint not null
    ) /* sqlite: without rowid */`,

    // Events of other servers that this one lets into a room, and so has to bring to the others: joins and leaves.
    `create table relayed_events (
      event_id text not null primary key,
      relayed_at bigint not null
    ) /* sqlite: without rowid */`,

    // Redactions that came before what they redact.
    `create table pending_redactions (
      event_id text not null,
      redaction_nid bigint not null,
      room_nid bigint not null,
      primary key (event_id, redaction_nid)
    ) /* sqlite: without rowid */`,
  ],
};
