import type { Migration } from './migration.ts';

/** Accounts that administrators have locked or suspended, and tokens with which somebody logs in once more. */
export const moderation: Migration = {
  version: 19,
  name: 'moderation',
  statements: [
    'alter table accounts add column locked bigint not null default 0',
    'alter table accounts add column suspended bigint not null default 0',

    `create table login_tokens (
      token_hash text not null primary key,
      user_id text not null,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index login_tokens_by_user on login_tokens (user_id, expires_at)',
  ],
};
