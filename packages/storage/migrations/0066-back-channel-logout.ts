import type { Migration } from './migration.ts';

/** Which devices logged in by way of another service, and whom such a service has logged out. */
export const backChannelLogout: Migration = {
  version: 66,
  name: 'back-channel-logout',
  statements: [
    // sid: what the service calls the session that it has with the person, if it says. begun_at: when they came from there.
    `create table provider_sessions (
      user_id text not null,
      device_id text not null,
      provider text not null,
      subject text not null,
      sid text,
      begun_at bigint not null,
      primary key (user_id, device_id)
    ) /* sqlite: without rowid */`,
    'create index provider_sessions_by_sid on provider_sessions (provider, sid, user_id)',
    'create index provider_sessions_by_subject on provider_sessions (provider, subject, user_id)',

    // token_hash: of the name that the token has, so that it counts once. Without a sid it is all sessions of the person until then.
    `create table provider_logouts (
      provider text not null,
      token_hash text not null,
      subject text,
      sid text,
      received_at bigint not null,
      primary key (provider, token_hash)
    ) /* sqlite: without rowid */`,
    'create index provider_logouts_by_sid on provider_logouts (provider, sid)',
    'create index provider_logouts_by_subject on provider_logouts (provider, subject)',
    'create index provider_logouts_by_time on provider_logouts (received_at)',

    // With what somebody came who is half-way in: JSON.
    'alter table login_tokens add column came_with text',
    'alter table oauth_codes add column came_with text',
    'alter table oauth_device_grants add column came_with text',
  ],
};
