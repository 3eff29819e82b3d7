import type { Migration } from './migration.ts';

/** Servers that cannot be reached are found by when they are to be asked again. */
export const parkedDestinations: Migration = {
  version: 49,
  name: 'parked-destinations',
  statements: [
    // When a server that has not answered since did not for the first time; 0 for one that answers.
    'alter table federation_destinations add column failing_since bigint not null default 0',
    // Of those that fail already nobody knows. They were to be asked again about now.
    'update federation_destinations set failing_since = retry_at where failures > 0',
    `create index federation_destinations_by_retry on federation_destinations (retry_at, host) where retry_at > 0`,
  ],
};
