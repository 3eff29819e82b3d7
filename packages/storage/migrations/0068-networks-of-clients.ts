import type { Migration } from './migration.ts';

/** From where apps were registered, so that those of one network do not push out all others that nobody is logged in with yet. */
export const networksOfClients: Migration = {
  version: 68,
  name: 'networks-of-clients',
  statements: [
    "alter table oauth_clients add column network text not null default ''",
    'create index oauth_clients_by_network on oauth_clients (network, used_at)',
  ],
};
