import type { Migration } from './migration.ts';

/** Coming and going across servers. */
export const joining: Migration = {
  version: 16,
  name: 'joining',
  statements: [
    // Servers through which the room was reached, as a JSON array: those to go through again when the person declines.
    "alter table stripped_states add column servers text not null default '[]'",

    // What ended an invitation or a knock of a server's person: the server is told although it may not be in the room.
    `create table ended_requests (
      host text not null,
      position bigint not null,
      event_nid bigint not null,
      primary key (host, position, event_nid)
    ) /* sqlite: without rowid */`,
    'create index ended_requests_by_position on ended_requests (position)',
  ],
};
