import type { Migration } from './migration.ts';

/** A session for a registration remembers what was asked for, since some clients go on with nothing but the session. */
export const registrationRequests: Migration = {
  version: 47,
  name: 'registration-requests',
  // JSON; of a password only its hash.
  statements: ['alter table uia_sessions add column request text'],
};
