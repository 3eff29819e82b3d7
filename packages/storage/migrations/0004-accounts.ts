import type { Migration } from './migration.ts';

/** Who has an account here, their devices and access tokens, what they keep with the server, and how accounts are made. */
export const accounts: Migration = {
  version: 4,
  name: 'accounts',
  statements: [
    // No password hash: nobody can log in with a password.
    `create table accounts (
      user_id text not null primary key,
      password_hash text,
      is_admin bigint not null,
      user_type text,
      created_at bigint not null,
      deactivated_at bigint
    ) /* sqlite: without rowid */`,

    // Values are JSON texts.
    `create table profile_fields (
      user_id text not null,
      name text not null,
      value text not null,
      primary key (user_id, name)
    ) /* sqlite: without rowid */`,

    `create table devices (
      user_id text not null,
      device_id text not null,
      display_name text,
      created_at bigint not null,
      last_seen_at bigint,
      last_seen_ip text,
      primary key (user_id, device_id)
    ) /* sqlite: without rowid */`,

    // SHA-256 of the token in URL-safe Base64: whoever reads the database cannot use it to log in.
    `create table access_tokens (
      token_hash text not null primary key,
      user_id text not null,
      device_id text not null,
      created_at bigint not null,
      expires_at bigint
    ) /* sqlite: without rowid */`,
    'create index access_tokens_by_device on access_tokens (user_id, device_id)',

    // A refresh token is used once; what came of it is kept, so that using it again is noticed.
    `create table refresh_tokens (
      token_hash text not null primary key,
      user_id text not null,
      device_id text not null,
      access_token_hash text not null,
      next_token_hash text,
      expires_at bigint
    ) /* sqlite: without rowid */`,
    'create index refresh_tokens_by_device on refresh_tokens (user_id, device_id)',

    `create table registration_tokens (
      token text not null primary key,
      uses_allowed bigint,
      completed bigint not null,
      created_at bigint not null,
      expires_at bigint
    ) /* sqlite: without rowid */`,

    `create table registration_nonces (
      nonce text not null primary key,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index registration_nonces_by_expiry on registration_nonces (expires_at)',

    // What was proved so far, for one operation. Never holds what the client sent: that may be a password.
    `create table uia_sessions (
      session_id text not null primary key,
      operation text not null,
      completed text not null,
      registration_token text,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index uia_sessions_by_expiry on uia_sessions (expires_at)',

    // room_id is '' for what belongs to no room.
    `create table account_data (
      user_id text not null,
      room_id text not null,
      type text not null,
      content text not null,
      stream_position bigint not null,
      primary key (user_id, room_id, type)
    )`,
    'create index account_data_by_position on account_data (user_id, stream_position)',

    `create table filters (
      user_id text not null,
      filter_id bigint not null,
      definition_hash text not null,
      definition text not null,
      primary key (user_id, filter_id)
    ) /* sqlite: without rowid */`,
    'create unique index filters_by_definition on filters (user_id, definition_hash)',
  ],
};
