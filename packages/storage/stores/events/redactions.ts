import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { removeRelation } from './relations-write.ts';
import { removeFromSearch } from '../search/search-write.ts';
import { endStickiness } from './sticky-events.ts';

/** An event that a redaction names, as it is stored. */
export type RedactionTarget = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly room_nid: number;
  readonly type: string;
  readonly state_key: string | null;
  readonly sender: string;
  readonly redacted_by: number | null;
  readonly before_content: string;
  readonly content: string;
  readonly after_content: string;
};

const targetColumns =
  'event_nid, event_id, room_nid, type, state_key, sender, redacted_by, before_content, content, after_content';

const selectTarget = sql<RedactionTarget, [eventId: string]>(
  'redactions.target',
  `select ${targetColumns} from events where event_id = $1`,
);

const selectTargets = sql<RedactionTarget, [eventNids: string]>(
  'redactions.targets',
  `select ${targetColumns} from events
   where event_nid in (select cast(value as bigint) from json_each(cast($1 as text))) order by event_nid`,
);

const keepOriginal = sql<void, [eventNid: number, deleteAfter: number]>(
  'redactions.keep-original',
  `insert into redacted_originals (event_nid, before_content, content, after_content, delete_after)
   select event_nid, before_content, content, after_content, $2 from events
   where event_nid = $1 and redacted_by is null
   on conflict do nothing`,
);

const redact = sql<void, [eventNid: number, redactionNid: number, before: string, content: string, after: string]>(
  'redactions.redact',
  `update events set redacted_by = $2, before_content = $3, content = $4, after_content = $5, sticky_ms = null,
     sticky_until = null
   where event_nid = $1 and redacted_by is null`,
);

export function findRedactionTarget(reader: Reader, eventId: string): Promise<RedactionTarget | undefined> {
  return reader.get(selectTarget, [eventId]);
}

const selectTargetsById = sql<RedactionTarget, [eventIds: string]>(
  'redactions.targets-by-id',
  `select ${targetColumns} from events where event_id in (select value from json_each(cast($1 as text)))`,
);

/** In no particular order. */
export function findRedactionTargets(reader: Reader, eventIds: readonly string[]): Promise<RedactionTarget[]> {
  return reader.all(selectTargetsById, [JSON.stringify(eventIds)]);
}

export function listRedactionTargets(reader: Reader, eventNids: readonly number[]): Promise<RedactionTarget[]> {
  return reader.all(selectTargets, [JSON.stringify(eventNids)]);
}

/** Overwrites an event with what its redaction leaves of it. The first redaction of an event counts. */
export function redactEvent(
  set: WriteSet,
  eventNid: number,
  redaction: { readonly redactionNid: number; readonly deleteOriginalAfter: number },
  left: { readonly before: string; readonly content: string; readonly after: string },
): void {
  set.add(keepOriginal, [eventNid, redaction.deleteOriginalAfter]);
  set.add(redact, [eventNid, redaction.redactionNid, left.before, left.content, left.after]);
  removeRelation(set, eventNid);
  removeFromSearch(set, eventNid);
  endStickiness(set, eventNid);
  set.change('redaction', eventNid);
}
