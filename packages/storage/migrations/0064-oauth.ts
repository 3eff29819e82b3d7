import type { Migration } from './migration.ts';

/** Clients that log people in with OAuth 2.0, and what they are given. Of codes and of what browsers keep there are hashes alone. */
export const oauth: Migration = {
  version: 64,
  name: 'oauth',
  statements: [
    // client_id: a digest of the metadata, so that who says the same is the same. metadata: JSON.
    `create table oauth_clients (
      client_id text not null primary key,
      metadata text not null,
      used_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index oauth_clients_by_use on oauth_clients (used_at)',

    // What somebody is asked before a client gets in. details: JSON. user_id: who they are, once they have shown that.
    `create table oauth_requests (
      request_hash text not null primary key,
      step text not null,
      browser_hash text not null,
      user_id text,
      details text not null,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index oauth_requests_by_expiry on oauth_requests (expires_at)',
    'create index oauth_requests_by_user on oauth_requests (user_id)',

    // Codes that have been used are kept for a while, so that using one again is noticed.
    `create table oauth_codes (
      code_hash text not null primary key,
      client_id text not null,
      user_id text not null,
      device_id text not null,
      scope text not null,
      redirect_uri text not null,
      code_challenge text not null,
      used_at bigint,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index oauth_codes_by_expiry on oauth_codes (expires_at)',
    'create index oauth_codes_by_user on oauth_codes (user_id)',

    // state: pending, approved or denied. user_code_hash: with a key, for user codes are short.
    `create table oauth_device_grants (
      device_code_hash text not null primary key,
      user_code_hash text not null,
      client_id text not null,
      device_id text not null,
      scope text not null,
      state text not null,
      user_id text,
      started_at bigint not null,
      interval_ms bigint not null,
      polled_at bigint,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create unique index oauth_device_grants_by_user_code on oauth_device_grants (user_code_hash)',
    'create index oauth_device_grants_by_expiry on oauth_device_grants (expires_at)',
    'create index oauth_device_grants_by_user on oauth_device_grants (user_id)',

    // Which client a device is logged in with. grant_hash: of the code that it came with.
    `create table oauth_sessions (
      user_id text not null,
      device_id text not null,
      client_id text not null,
      scope text not null,
      grant_hash text not null,
      created_at bigint not null,
      primary key (user_id, device_id)
    ) /* sqlite: without rowid */`,
    'create index oauth_sessions_by_client on oauth_sessions (client_id)',
  ],
};
