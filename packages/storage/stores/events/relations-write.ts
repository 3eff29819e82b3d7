import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** What `events.relation_kinds` is made of: what has to be looked for when the event is shown. */
export const relationKinds = { 'm.thread': 1, 'm.replace': 2, 'm.reference': 4 } as const;

export type NewRelation = {
  readonly roomNid: number;
  readonly targetId: string;
  readonly eventNid: number;
  readonly eventId: string;
  readonly relType: string;
  readonly eventType: string;
  readonly sender: string;
  readonly ts: number;
  /** Whether it may count as an edit. */
  readonly replaces: boolean;
  readonly annotationKey: string | undefined;
};

type AfterPlace = [
  eventNid: number,
  eventId: string,
  relType: string,
  eventType: string,
  sender: string,
  ts: number,
  replaces: number,
  annotationKey: string | null,
];
type RelationParams = [roomNid: number, targetId: string, position: PositionParam, ...AfterPlace];

const columns = `room_nid, target_id, room_order, event_nid, event_id, rel_type, event_type, sender, ts, replaces,
     annotation_key`;

const insertRelation = sql<void, RelationParams>(
  'relations.insert',
  `insert into relations (${columns})
   values ($1, $2, position($3) * 1048576, $4, $5, $6, $7, $8, $9, $10, $11)`,
);

const insertRelationAt = sql<void, [roomNid: number, targetId: string, order: number, ...AfterPlace]>(
  'relations.insert-at',
  `insert into relations (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
);

const insertNewAnnotation = sql<void, RelationParams>(
  'relations.insert-new-annotation',
  `insert into relations (${columns})
   select cast($1 as bigint), cast($2 as text), position($3) * 1048576, cast($4 as bigint), cast($5 as text),
     cast($6 as text), cast($7 as text), cast($8 as text), cast($9 as bigint), cast($10 as bigint), cast($11 as text)
   where not exists (
     select 1 from relations r where r.room_nid = $1 and r.target_id = $2 and r.sender = $8 and r.annotation_key = $11
       and r.event_type = $7
   )`,
);

const markTarget = sql<void, [kind: number, targetId: string, roomNid: number]>(
  'events.mark-relation',
  `update events set relation_kinds = coalesce(relation_kinds, 0) | $1
   where event_id = $2 and room_nid = $3 and coalesce(relation_kinds, 0) & $1 = 0`,
);

const markLateTarget = sql<void, [eventNid: number, roomNid: number, eventId: string]>(
  'events.mark-late-target',
  `update events set relation_kinds = (
     select max(case rel_type when 'm.thread' then 1 else 0 end) + max(case rel_type when 'm.replace' then 2 else 0 end)
       + max(case rel_type when 'm.reference' then 4 else 0 end)
     from relations where room_nid = $2 and target_id = $3
   )
   where event_nid = $1 and exists (select 1 from relations where room_nid = $2 and target_id = $3)`,
);

const deleteRelation = sql<void, [eventNid: number]>('relations.delete', 'delete from relations where event_nid = $1');

/**
 * Records that an event, of the same set, relates to another. The place is the event's own. With `isNew` the guard `relation.duplicate` holds that
 * its sender has not annotated the event with the same before.
 */
export function addRelation(
  set: WriteSet,
  relation: NewRelation,
  place: PositionParam | { readonly order: number },
  isNew: boolean,
): void {
  const { roomNid, targetId, relType, annotationKey } = relation;
  const rest: AfterPlace = [
    relation.eventNid,
    relation.eventId,
    relType,
    relation.eventType,
    relation.sender,
    relation.ts,
    relation.replaces ? 1 : 0,
    annotationKey ?? null,
  ];
  if ('order' in place) set.add(insertRelationAt, [roomNid, targetId, place.order, ...rest]);
  else if (isNew && annotationKey !== undefined) {
    set.guard('relation.duplicate', 1, insertNewAnnotation, [roomNid, targetId, place, ...rest]);
  } else set.add(insertRelation, [roomNid, targetId, place, ...rest]);
  const kind = Object.hasOwn(relationKinds, relType) ? relationKinds[relType as keyof typeof relationKinds] : 0;
  if (kind !== 0) set.add(markTarget, [kind, targetId, roomNid]);
}

/** Marks an event that came after events which relate to it: those of other servers may come in any order. */
export function findEarlierRelations(set: WriteSet, roomNid: number, eventNid: number, eventId: string): void {
  set.add(markLateTarget, [eventNid, roomNid, eventId]);
}

/** "When a child event is redacted then the relationship is broken." */
export function removeRelation(set: WriteSet, eventNid: number): void {
  set.add(deleteRelation, [eventNid]);
}
