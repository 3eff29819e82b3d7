import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { StateEventRow } from './state-events.ts';

const selectByIds = sql<StateEventRow, [eventIds: string]>(
  'state-events.by-ids',
  `select event_nid, event_id, status, before_content, content, after_content from events
   where event_id in (select value from json_each(cast($1 as text)))`,
);

/** In no particular order. */
export function stateEventsById(reader: Reader, eventIds: readonly string[]): Promise<StateEventRow[]> {
  return reader.all(selectByIds, [JSON.stringify(eventIds)]);
}
