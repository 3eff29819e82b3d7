import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Where an event stands in its room: what an event that follows it needs to know. */
export type EventStateRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly room_nid: number;
  readonly status: number;
  readonly depth: number;
  /** 1 where a redaction has been applied to it. */
  readonly is_redacted: number;
  /** Root node of the state after the event; null where the state is not known. */
  readonly state_after: number | null;
};

const selectEventStates = sql<EventStateRow, [eventIds: string]>(
  'events.states',
  `select event_nid, event_id, room_nid, status, depth, case when redacted_by is null then 0 else 1 end as is_redacted,
     case when status = 2 then state_before else coalesce(state_after, state_before) end as state_after
   from events where event_id in (select value from json_each(cast($1 as text)))`,
);

/** In no particular order. A rejected event (status 2) leaves the state as it was before. */
export function eventStates(reader: Reader, eventIds: readonly string[]): Promise<EventStateRow[]> {
  return reader.all(selectEventStates, [JSON.stringify(eventIds)]);
}
