import type { Reader } from '../database.ts';
import { sql } from '../sql.ts';
import type { StateEventRow } from './state-events.ts';

export type PowerLevelsLink = { readonly event_id: string; readonly base_id: string | null };

const selectByIds = sql<StateEventRow, [eventIds: string]>(
  'state-events.by-ids',
  `select event_nid, event_id, status, before_content, content, after_content from events
   where event_id in (select value from json_each(cast($1 as text)))`,
);

/* Follows, from an event, the power levels among auth events: up to $2 links of the chain. */
const selectPowerLevelsChain = sql<PowerLevelsLink, [eventId: string, limit: number]>(
  'resolution.power-levels-chain',
  `with recursive links (event_nid, base_nid, place) as (
     select e.event_nid,
       (select a.auth_event_nid from event_auth_edges a join events b on b.event_nid = a.auth_event_nid
        where a.event_nid = e.event_nid and b.type = 'm.room.power_levels' and b.state_key = ''), 1
     from events e where e.event_id = $1
     union all
     select l.base_nid,
       (select a.auth_event_nid from event_auth_edges a join events b on b.event_nid = a.auth_event_nid
        where a.event_nid = l.base_nid and b.type = 'm.room.power_levels' and b.state_key = ''), l.place + 1
     from links l where l.base_nid is not null and l.place < $2
   )
   select e.event_id, b.event_id as base_id from links l
   join events e on e.event_nid = l.event_nid left join events b on b.event_nid = l.base_nid`,
);

/** In no particular order. */
export function stateEventsById(reader: Reader, eventIds: readonly string[]): Promise<StateEventRow[]> {
  return reader.all(selectByIds, [JSON.stringify(eventIds)]);
}

/** For an event, and for each one on the chain of power levels from it, the power levels that its auth events name. */
export function powerLevelsChain(reader: Reader, eventId: string, limit: number): Promise<PowerLevelsLink[]> {
  return reader.all(selectPowerLevelsChain, [eventId, limit]);
}
