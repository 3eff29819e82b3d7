import type { Migration } from './migration.ts';

/** When somebody's user-signing key last changed: their own devices are told of that, and nobody else. */
export const ownSigningKeys: Migration = {
  version: 48,
  name: 'own-signing-keys',
  statements: ['alter table cross_signing_keys add column position bigint not null default 0'],
};
