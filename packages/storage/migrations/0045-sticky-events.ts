import type { Migration } from './migration.ts';

/** Events that for a while reach everybody who is in their room, as entries of its state do. */
export const stickyEvents: Migration = {
  version: 45,
  name: 'sticky-events',
  statements: [
    /* For how many milliseconds an event is sticky, and until when; null for events that are not. */
    'alter table events add column sticky_ms bigint',
    'alter table events add column sticky_until bigint',
    'alter table delayed_events add column sticky_ms bigint',

    /*
     * Those that have not ended. position: when people begin to be told, beside the timeline; null as long as they are not,
     * since the event failed softly (is_soft_failed) or its sender has too many. is_own: of this server.
     */
    `create table sticky_events (
      event_nid bigint primary key,
      room_nid bigint not null,
      sender text not null,
      is_own bigint not null,
      is_soft_failed bigint not null,
      position bigint,
      expires_at bigint not null
    )`,
    'create index sticky_events_by_position on sticky_events (room_nid, position)',
    'create index sticky_events_by_sender on sticky_events (room_nid, sender)',
    'create index sticky_events_by_end on sticky_events (expires_at)',
    'create index sticky_events_waiting on sticky_events (room_nid, event_nid) where position is null',

    /* Servers that have come into a room, and are still to be sent those that this server's people had sent before. */
    `create table sticky_arrivals (
      host text not null,
      room_nid bigint not null,
      position bigint not null,
      after_nid bigint not null,
      primary key (host, room_nid)
    ) /* sqlite: without rowid */`,
    /* What is being sent to them, each under a position of its own. */
    `create table sticky_deliveries (
      host text not null,
      position bigint not null,
      room_nid bigint not null,
      event_nid bigint not null,
      primary key (host, position)
    ) /* sqlite: without rowid */`,
  ],
};
