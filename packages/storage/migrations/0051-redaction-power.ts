import type { Migration } from './migration.ts';

/**
 * Whether the sender of a redaction that waits had the power to redact what people of other servers have sent: power comes and goes
 * until what it redacts is here. Null of those that waited before this was kept.
 */
export const redactionPower: Migration = {
  version: 51,
  name: 'redaction-power',
  statements: ['alter table pending_redactions add column has_power bigint'],
};
