import type { Migration } from './migration.ts';

/** Administrators read what was reported in the order in which it came, and look an event up that somebody reported. */
export const reportsByKind: Migration = {
  version: 53,
  name: 'reports-by-kind',
  statements: [
    'create index reports_by_kind on reports (kind, received_at, report_nid)',
    'create index reports_by_subject on reports (subject, kind)',
  ],
};
