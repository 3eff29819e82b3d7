import type { Migration } from './migration.ts';

/** Keys of other servers. */
export const federationBase: Migration = {
  version: 11,
  name: 'federation-base',
  statements: [
    // `answer` is the server's own signed answer that had the key last, for who asks us as a notary.
    // `notary` is who gave it to us; null where the server itself did.
    `create table server_keys (
      server_name text not null,
      key_id text not null,
      public_key text not null,
      valid_until_ts bigint not null,
      expired_ts bigint,
      fetched_at bigint not null,
      notary text,
      answer text not null,
      primary key (server_name, key_id)
    ) /* sqlite: without rowid */`,
  ],
};
