import type { Migration } from './migration.ts';

/** The public halves of people's keys, their signatures of each other, and the backups of their rooms' keys. */
export const keys: Migration = {
  version: 13,
  name: 'keys',
  statements: [
    /* keys: the whole object as JSON, without what the server adds to it. */
    `create table device_keys (
      user_id text not null,
      device_id text not null,
      keys text not null,
      primary key (user_id, device_id)
    ) /* sqlite: without rowid */`,
    /* identity: the public key itself, since the same key may come with another signature. */
    `create table one_time_keys (
      user_id text not null,
      device_id text not null,
      algorithm text not null,
      key_id text not null,
      identity text not null,
      key text not null,
      primary key (user_id, device_id, algorithm, key_id)
    ) /* sqlite: without rowid */`,
    /* used: 1 once somebody was given it. */
    `create table fallback_keys (
      user_id text not null,
      device_id text not null,
      algorithm text not null,
      key_id text not null,
      key text not null,
      used bigint not null,
      primary key (user_id, device_id, algorithm)
    ) /* sqlite: without rowid */`,

    /* usage: master, self_signing or user_signing. */
    `create table cross_signing_keys (
      user_id text not null,
      usage text not null,
      key text not null,
      primary key (user_id, usage)
    ) /* sqlite: without rowid */`,
    /* What was signed after it was uploaded. target: a device, or a public key. */
    `create table key_signatures (
      user_id text not null,
      target text not null,
      signer text not null,
      signer_key text not null,
      signature text not null,
      position bigint not null,
      primary key (user_id, target, signer, signer_key)
    ) /* sqlite: without rowid */`,
    'create index key_signatures_by_signer on key_signatures (signer, position)',

    /* When what others see of somebody's devices and keys last changed. */
    `create table device_lists (
      user_id text not null primary key,
      position bigint not null
    ) /* sqlite: without rowid */`,
    'create index device_lists_by_position on device_lists (position)',

    /* A version that is deleted stays as a row, so that its number is not used again. */
    `create table key_backups (
      user_id text not null,
      version bigint not null,
      algorithm text not null,
      auth_data text not null,
      etag bigint not null,
      deleted bigint not null,
      primary key (user_id, version)
    ) /* sqlite: without rowid */`,
    `create table backed_up_keys (
      user_id text not null,
      version bigint not null,
      room_id text not null,
      session_id text not null,
      first_message_index bigint not null,
      forwarded_count bigint not null,
      is_verified bigint not null,
      session_data text not null,
      primary key (user_id, version, room_id, session_id)
    ) /* sqlite: without rowid */`,
  ],
};
