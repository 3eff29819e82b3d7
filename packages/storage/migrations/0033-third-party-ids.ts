import type { Migration } from './migration.ts';

/** Email addresses of people, and how they are proved. */
export const thirdPartyIds: Migration = {
  version: 33,
  name: 'third-party-ids',
  statements: [
    /* address: in its canonical form. Nobody has one that somebody else has. */
    `create table third_party_ids (
      medium text not null,
      address text not null,
      user_id text not null,
      validated_at bigint not null,
      added_at bigint not null,
      primary key (medium, address)
    ) /* sqlite: without rowid */`,
    'create index third_party_ids_by_user on third_party_ids (user_id, added_at)',

    /* What people have published at identity servers by way of this server. */
    `create table third_party_bindings (
      user_id text not null,
      medium text not null,
      address text not null,
      id_server text not null,
      primary key (user_id, medium, address, id_server)
    ) /* sqlite: without rowid */`,

    /* Secrets of clients and the tokens in emails are kept as hashes; no token: no link leads here. */
    `create table email_validations (
      session_id text not null primary key,
      purpose text not null,
      address text not null,
      secret_hash text not null,
      send_attempt bigint not null,
      token_hash text,
      next_link text,
      expires_at bigint not null,
      validated_at bigint
    ) /* sqlite: without rowid */`,
    'create unique index email_validations_by_secret on email_validations (address, purpose, secret_hash)',
    'create index email_validations_by_expiry on email_validations (expires_at)',

    // The validation of an email address that a stage was passed with.
    'alter table uia_sessions add column email_session text',
  ],
};
