import type { WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const insertRelayed = sql<void, [eventId: string, at: number]>(
  'relayed-events.insert',
  'insert into relayed_events (event_id, relayed_at) values ($1, $2) on conflict do nothing',
);

/** Has an event of another server brought to all the others, once it is in its room. */
export function addRelayed(set: WriteSet, eventId: string, at: number): void {
  set.add(insertRelayed, [eventId, at]);
}
