import type { Migration } from './migration.ts';

/** What travels between servers beside events. */
export const federationEdus: Migration = {
  version: 14,
  name: 'federation-edus',
  statements: [
    // EDUs that must arrive, once for all the servers that they are for. seq: of those that were written at one position.
    `create table stored_edus (
      position bigint not null,
      seq bigint not null,
      edu_type text not null,
      content text not null,
      primary key (position, seq)
    ) /* sqlite: without rowid */`,
    // Which servers still have to get them.
    `create table stored_edu_hosts (
      host text not null,
      position bigint not null,
      seq bigint not null,
      primary key (host, position, seq)
    ) /* sqlite: without rowid */`,
    'create index stored_edu_hosts_by_edu on stored_edu_hosts (position, seq)',

    // Up to where a server has been told of receipts.
    'alter table federation_destinations add column receipt_position bigint not null default 0',
    // The bounds of a transaction that a server may have got already: it is repeated as it was. JSON.
    'alter table federation_destinations add column attempt text',
    // The process that sends to the server.
    'alter table federation_destinations add column claimed_by text',

    // Processes of this server. Up to federation_position, the servers that they send to lack nothing, unless they fail.
    `create table processes (
      process text not null primary key,
      alive_until bigint not null,
      federation_position bigint not null
    ) /* sqlite: without rowid */`,

    // Messages to devices that have come from other servers, so that each is taken once.
    `create table received_to_device (
      origin text not null,
      message_id text not null,
      received_at bigint not null,
      primary key (origin, message_id)
    ) /* sqlite: without rowid */`,
    'create index received_to_device_by_date on received_to_device (received_at)',
  ],
};
