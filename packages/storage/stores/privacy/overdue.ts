import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectSoonest = sql<{ readonly soonest: number | null }>(
  'overdue.soonest',
  `select min(u.at) as soonest from (
     select min(delete_after) as at from redacted_originals
     union all select min(expires_at) as at from uia_sessions
     union all select min(expires_at) as at from email_validations) u`,
);

/** When the first of what is kept for a while only is due to go, in milliseconds. */
export async function readSoonestOverdue(reader: Reader): Promise<number | undefined> {
  return (await reader.get(selectSoonest, []))?.soonest ?? undefined;
}

type Params = [now: number, limit: number];

const deleteOriginals = sql<void, Params>(
  'overdue.originals',
  `delete from redacted_originals where event_nid in (
     select event_nid from redacted_originals where delete_after <= $1 order by delete_after limit $2)`,
);

const deleteUiaSessions = sql<void, Params>(
  'overdue.uia-sessions',
  `delete from uia_sessions where session_id in (
     select session_id from uia_sessions where expires_at <= $1 order by expires_at limit $2)`,
);

const deleteValidations = sql<void, Params>(
  'overdue.email-validations',
  `delete from email_validations where session_id in (
     select session_id from email_validations where expires_at <= $1 order by expires_at limit $2)`,
);

/**
 * What redactions took away, after the time for which moderators may want it; the name and the hash of the password of
 * whoever did not go on with a registration; and addresses that nobody proved.
 */
export function dropOverdue(set: WriteSet, now: number, limit: number): void {
  set.add(deleteOriginals, [now, limit]);
  set.add(deleteUiaSessions, [now, limit]);
  set.add(deleteValidations, [now, limit]);
}
