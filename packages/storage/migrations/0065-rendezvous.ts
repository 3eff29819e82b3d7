import type { Migration } from './migration.ts';

/** Where two devices of a person leave each other messages while one of them logs the other in. */
export const rendezvous: Migration = {
  version: 65,
  name: 'rendezvous',
  statements: [
    // Whoever knows the ID may read and write: here is its hash. tag: of the message that is there.
    `create table rendezvous_sessions (
      id_hash text not null primary key,
      content text not null,
      tag text not null,
      modified_at bigint not null,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index rendezvous_sessions_by_expiry on rendezvous_sessions (expires_at)',
  ],
};
