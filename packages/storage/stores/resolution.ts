import type { Reader } from '../database.ts';
import { sql } from '../sql.ts';
import type { StateEventRow } from './state-events.ts';

/** A link of a chain of power levels: whether the event names power levels, which are then the next link. */
type LinkRow = { readonly event_id: string; readonly has_base: number };

const selectByIds = sql<StateEventRow, [eventIds: string]>(
  'state-events.by-ids',
  `select event_nid, event_id, status, before_content, content, after_content from events
   where event_id in (select value from json_each(cast($1 as text)))`,
);

/* Follows, from an event, the power levels among auth events: up to $2 links of the chain. */
const selectPowerLevelsChain = sql<LinkRow, [eventId: string, limit: number]>(
  'resolution.power-levels-chain',
  `with recursive links (event_id, base_nid, place) as (
     select event_id, power_levels_nid, 1 from events where event_id = $1
     union all
     select p.event_id, p.base_nid, l.place + 1
     from links l cross join power_levels_links p where p.event_nid = l.base_nid and l.place < $2
   )
   select event_id, case when base_nid is null then 0 else 1 end as has_base from links order by place`,
);

/** In no particular order. */
export function stateEventsById(reader: Reader, eventIds: readonly string[]): Promise<StateEventRow[]> {
  return reader.all(selectByIds, [JSON.stringify(eventIds)]);
}

/**
 * An event, the power levels that its auth events name, those that these name, and so on: up to `limit` events, the last
 * of which names none if `isWhole`.
 */
export async function powerLevelsChain(
  reader: Reader,
  eventId: string,
  limit: number,
): Promise<{ readonly eventIds: readonly string[]; readonly isWhole: boolean }> {
  const rows = await reader.all(selectPowerLevelsChain, [eventId, limit]);
  return { eventIds: rows.map((row) => row.event_id), isWhole: rows.at(-1)?.has_base !== 1 };
}
