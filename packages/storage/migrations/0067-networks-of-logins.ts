import type { Migration } from './migration.ts';

/** From where logins under way were begun, so that those of one network do not push out all others. */
export const networksOfLogins: Migration = {
  version: 67,
  name: 'networks-of-logins',
  statements: ['sso_logins', 'oauth_requests', 'oauth_device_grants', 'rendezvous_sessions'].flatMap((table) => [
    `alter table ${table} add column network text not null default ''`,
    `create index ${table}_by_network on ${table} (network, expires_at)`,
  ]),
};
