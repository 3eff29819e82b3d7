import type { Migration } from './migration.ts';

/** By way of which other services people log in, and logins by way of them that are under way. */
export const singleSignOn: Migration = {
  version: 62,
  name: 'single-sign-on',
  statements: [
    // subject: what the service calls the person, which it never gives to anybody else.
    `create table external_ids (
      provider text not null,
      subject text not null,
      user_id text not null,
      linked_at bigint not null,
      primary key (provider, subject)
    ) /* sqlite: without rowid */`,
    'create index external_ids_by_user on external_ids (user_id, linked_at)',

    /*
     * What the browser and the service know of it is kept as hashes. user_id: whose account it is about, once that is known.
     * details: JSON.
     */
    `create table sso_logins (
      login_hash text not null primary key,
      step text not null,
      browser_hash text not null,
      user_id text,
      details text not null,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index sso_logins_by_expiry on sso_logins (expires_at)',
    'create index sso_logins_by_user on sso_logins (user_id)',
  ],
};
