import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** An event whose relations are asked for, up to a place in its room's order. */
export type RelationTarget = { readonly roomNid: number; readonly eventId: string; readonly upTo: number };

/** What one person wrote in a thread. */
export type ThreadShareRow = {
  readonly room_nid: number;
  readonly target_id: string;
  readonly sender: string;
  readonly replies: number;
  /** Of their last message in it. */
  readonly last_order: number;
  readonly last_nid: number;
};

export type EditRow = { readonly room_nid: number; readonly target_id: string; readonly event_nid: number };

export type ReferenceRow = {
  readonly room_nid: number;
  readonly target_id: string;
  readonly event_nid: number;
  readonly event_id: string;
  readonly sender: string;
  readonly room_order: number;
};

export type RelatedRow = { readonly event_nid: number; readonly room_order: number };

const targets = `targets as materialized (
     select cast(substr(value, 1, 16) as bigint) as room_nid, cast(substr(value, 17, 16) as bigint) as up_to,
       substr(value, 33) as target_id
     from json_each(cast($1 as text))
   )`;

const selectThreadShares = sql<ThreadShareRow, [targets: string]>(
  'relations.thread-shares',
  `with ${targets}, shares as materialized (
     select r.room_nid, r.target_id, r.sender, count(*) as replies, max(r.room_order) as last_order
     from targets t cross join relations r
     where r.room_nid = t.room_nid and r.target_id = t.target_id and r.rel_type = 'm.thread'
       and r.room_order <= t.up_to
     group by r.room_nid, r.target_id, r.sender
   )
   select s.room_nid, s.target_id, s.sender, s.replies, s.last_order, l.event_nid as last_nid
   from shares s cross join relations l
   where l.room_nid = s.room_nid and l.target_id = s.target_id and l.room_order = s.last_order`,
);

/*
 * "The original event and replacement event must have the same `sender`. […] must have the same `type`. […] must not have
 * a `state_key` property." Of several, "the most recent replacement event": by origin_server_ts, then by event ID.
 */
const selectEdits = sql<EditRow, [targets: string]>(
  'relations.edits',
  `with ${targets}
   select room_nid, target_id, event_nid from (
     select r.room_nid, r.target_id, r.event_nid,
       row_number() over (partition by r.room_nid, r.target_id order by r.ts desc, r.event_id desc) as place
     from targets t
     cross join events e
     cross join relations r
     where e.event_id = t.target_id and e.room_nid = t.room_nid and e.state_key is null
       and r.room_nid = t.room_nid and r.target_id = t.target_id and r.rel_type = 'm.replace'
       and r.room_order <= t.up_to and r.sender = e.sender and r.event_type = e.type and r.replaces = 1
   ) ranked where place = 1`,
);

const selectReferences = sql<ReferenceRow, [targets: string, limit: number]>(
  'relations.references',
  `with ${targets}
   select r.room_nid, r.target_id, r.event_nid, r.event_id, r.sender, r.room_order
   from targets t cross join relations r
   where r.room_nid = t.room_nid and r.target_id = t.target_id and r.rel_type = 'm.reference'
     and r.room_order <= t.up_to
   order by r.room_nid, r.target_id, r.room_order limit $2`,
);

const selectAnnotation = sql<
  { event_nid: number },
  [roomNid: number, targetId: string, sender: string, key: string, type: string]
>(
  'relations.annotation',
  `select event_nid from relations
   where room_nid = $1 and target_id = $2 and sender = $3 and annotation_key = $4 and event_type = $5 limit 1`,
);

type PageParams = [roomNid: number, targetId: string, after: number, upTo: number, limit: number];
const ofTarget = 'room_nid = $1 and target_id = $2 and room_order > $3 and room_order <= $4';

const pageStatement = (name: string, where: string, order: string) =>
  sql<RelatedRow, PageParams>(
    name,
    `select event_nid, room_order from relations where ${ofTarget}${where} order by room_order ${order} limit $5`,
  );
const typedPageStatement = (name: string, order: string) =>
  sql<RelatedRow, [...PageParams, relType: string, eventType: string]>(
    name,
    `select event_nid, room_order from relations
     where ${ofTarget} and rel_type = $6 and ($7 = '' or event_type = $7) order by room_order ${order} limit $5`,
  );
const selectNewest = pageStatement('relations.newest', '', 'desc');
const selectOldest = pageStatement('relations.oldest', '', 'asc');
const selectNewestOfType = typedPageStatement('relations.newest-of-type', 'desc');
const selectOldestOfType = typedPageStatement('relations.oldest-of-type', 'asc');

/*
 * "Events that would match the filter, but whose only relation to the original given event is through a non-matching
 * intermediate event, will not be included."
 */
const deepStatement = (name: string, order: string) =>
  sql<RelatedRow, [...PageParams, relType: string, eventType: string, depth: number]>(
    name,
    `with recursive related as (
       select event_id, event_nid, room_order, cast(1 as bigint) as depth from relations
       where room_nid = $1 and target_id = $2 and ($6 = '' or rel_type = $6) and ($7 = '' or event_type = $7)
       union
       select r.event_id, r.event_nid, r.room_order, d.depth + 1
       from related d cross join relations r
       where r.room_nid = $1 and r.target_id = d.event_id and d.depth < $8
         and ($6 = '' or r.rel_type = $6) and ($7 = '' or r.event_type = $7)
     )
     select distinct event_nid, room_order from related where room_order > $3 and room_order <= $4
     order by room_order ${order} limit $5`,
  );
const selectNewestDeep = deepStatement('relations.newest-deep', 'desc');
const selectOldestDeep = deepStatement('relations.oldest-deep', 'asc');

const selectOfTypes = sql<
  RelatedRow,
  [roomNid: number, targetId: string, after: number, relTypes: string | null, limit: number]
>(
  'relations.of-types',
  `select event_nid, room_order from relations
   where room_nid = $1 and target_id = $2 and room_order > $3
     and (cast($4 as text) is null or rel_type in (select value from json_each(cast($4 as text))))
   order by room_order limit $5`,
);

/** How far indirect relations are followed. "Homeservers SHOULD traverse at least 3 levels." */
export const maxDepth = 3;

/** References that are listed with the events of one page. */
const maxReferences = 2000;

function pack(wanted: readonly RelationTarget[]): string {
  const pad = (value: number) => String(Math.min(Math.max(value, 0), Number.MAX_SAFE_INTEGER)).padStart(16, '0');
  return JSON.stringify(wanted.map(({ roomNid, eventId, upTo }) => `${pad(roomNid)}${pad(upTo)}${eventId}`));
}

/** Who wrote how much in each thread. */
export async function readThreadShares(reader: Reader, roots: readonly RelationTarget[]): Promise<ThreadShareRow[]> {
  return roots.length === 0 ? [] : reader.all(selectThreadShares, [pack(roots)]);
}

/** The last valid edit of each event that has one. */
export async function readEdits(reader: Reader, edited: readonly RelationTarget[]): Promise<EditRow[]> {
  return edited.length === 0 ? [] : reader.all(selectEdits, [pack(edited)]);
}

export async function readReferences(reader: Reader, parents: readonly RelationTarget[]): Promise<ReferenceRow[]> {
  return parents.length === 0 ? [] : reader.all(selectReferences, [pack(parents), maxReferences]);
}

export type RelatedRange = {
  readonly roomNid: number;
  readonly targetId: string;
  readonly after: number;
  readonly upTo: number;
  readonly relType: string | undefined;
  readonly eventType: string | undefined;
  readonly recurse: boolean;
};

/** Events that relate to one, in the order of the direction. */
export function readRelated(
  reader: Reader,
  { roomNid, targetId, after, upTo, relType, eventType, recurse }: RelatedRange,
  direction: 'backwards' | 'forwards',
  limit: number,
): Promise<RelatedRow[]> {
  const page: PageParams = [roomNid, targetId, after, Math.min(upTo, Number.MAX_SAFE_INTEGER), limit];
  const isBackwards = direction === 'backwards';
  if (recurse) {
    const statement = isBackwards ? selectNewestDeep : selectOldestDeep;
    return reader.all(statement, [...page, relType ?? '', eventType ?? '', maxDepth]);
  }
  if (relType === undefined) return reader.all(isBackwards ? selectNewest : selectOldest, page);
  return reader.all(isBackwards ? selectNewestOfType : selectOldestOfType, [...page, relType, eventType ?? '']);
}

/** Whether somebody has annotated an event with the same already. */
export async function hasAnnotated(
  reader: Reader,
  roomNid: number,
  annotation: { readonly targetId: string; readonly sender: string; readonly key: string; readonly type: string },
): Promise<boolean> {
  const { targetId, sender, key, type } = annotation;
  return (await reader.get(selectAnnotation, [roomNid, targetId, sender, key, type])) !== undefined;
}

/** Events that relate to one directly, by any of the types or in any way at all, the oldest first. */
export function readRelatedByTypes(
  reader: Reader,
  target: { readonly roomNid: number; readonly targetId: string; readonly relTypes: readonly string[] | undefined },
  page: { readonly after: number; readonly limit: number },
): Promise<RelatedRow[]> {
  const { roomNid, targetId, relTypes } = target;
  const types = relTypes === undefined ? null : JSON.stringify(relTypes);
  return reader.all(selectOfTypes, [roomNid, targetId, page.after, types, page.limit]);
}
