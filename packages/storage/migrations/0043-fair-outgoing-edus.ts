import type { Migration } from './migration.ts';

/** Who has how much of the EDUs that wait for a server, without counting them. */
export const fairOutgoingEdus: Migration = {
  version: 43,
  name: 'fair-outgoing-edus',
  statements: [
    // One more than that of the EDU before it for the same server.
    'alter table stored_edu_hosts add column ordinal bigint not null default 0',
    /*
     * Of EDUs that came when many were waiting, and null of the others: whose it is, and its ordinal among those of the
     * same person for the same server.
     */
    'alter table stored_edu_hosts add column sender text',
    'alter table stored_edu_hosts add column sender_ordinal bigint',
    `create index stored_edu_hosts_by_sender on stored_edu_hosts (host, sender, sender_ordinal) where sender is not null`,
  ],
};
