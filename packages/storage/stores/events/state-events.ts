import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** As much of an event as judging other events by it takes. */
export type StateEventRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly status: number;
  readonly before_content: string;
  readonly content: string;
  readonly after_content: string;
};

const selectByNids = sql<StateEventRow, [nids: string]>(
  'state-events.by-nids',
  `select event_nid, event_id, status, before_content, content, after_content from events
   where event_nid in (select cast(value as bigint) from json_each($1))`,
);

/** In no particular order. */
export function stateEventsByNid(reader: Reader, nids: readonly number[]): Promise<StateEventRow[]> {
  return reader.all(selectByNids, [JSON.stringify(nids)]);
}
