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

const selectNaming = sql<{ event_id: string }, [roomNid: number, eventId: string, limit: number]>(
  'events.naming',
  `select event_id from (
     select event_id, after_content from events
     where room_nid = $1 and room_order is not null and status = 0 order by room_order desc limit $3
   ) latest where replace(after_content, $2, '') <> after_content`,
);

/** How far back they are looked for. */
const latest = 1000;

/** Those of the latest events of a room that may follow another one: it is named in what comes after their content. */
export async function latestNaming(reader: Reader, roomNid: number, eventId: string): Promise<string[]> {
  return (await reader.all(selectNaming, [roomNid, eventId, latest])).map((row) => row.event_id);
}
