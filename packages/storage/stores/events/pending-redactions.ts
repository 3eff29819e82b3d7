import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { eventStatus, type EventStatus } from './event-row.ts';

/** Redactions of other servers that have not been applied: mostly, what they redact is not there yet. */
export type PendingRedaction = {
  readonly redaction_nid: number;
  readonly event_id: string;
  /** Soft-failed while it is kept from clients because what it redacts is not there. */
  readonly status: EventStatus;
  readonly before_content: string;
  readonly content: string;
  readonly after_content: string;
  /** Null where it was not judged when it came. */
  readonly has_power: number | null;
};

/** An event that waits to be redacted although it is there. */
export type OverdueRedaction = { readonly event_id: string; readonly room_id: string };

/** What a redaction names, and whether its sender had the power to redact what people of other servers have sent. */
export type Redacts = { readonly eventId: string; readonly hasPower: boolean };

const insert = sql<void, [eventId: string, redactionNid: number, roomNid: number, hasPower: number]>(
  'pending-redactions.insert',
  `insert into pending_redactions (event_id, redaction_nid, room_nid, has_power) values ($1, $2, $3, $4)
   on conflict do nothing`,
);

const selectOfEvent = sql<PendingRedaction, [eventId: string, roomNid: number, after: number, limit: number]>(
  'pending-redactions.of-event',
  `select p.redaction_nid, p.has_power, e.event_id, e.status, e.before_content, e.content, e.after_content
   from pending_redactions p join events e on e.event_nid = p.redaction_nid
   where p.event_id = $1 and p.room_nid = $2 and p.redaction_nid > $3 order by p.redaction_nid limit $4`,
);

const selectOfEvents = sql<
  PendingRedaction & { readonly redacts: string },
  [roomNid: number, eventIds: string, limit: number]
>(
  'pending-redactions.of-events',
  `select p.event_id as redacts, p.redaction_nid, p.has_power, e.event_id, e.status, e.before_content, e.content, e.after_content
   from pending_redactions p join events e on e.event_nid = p.redaction_nid
   where p.event_id in (select value from json_each(cast($2 as text))) and p.room_nid = $1
     and e.status = ${eventStatus.softFailed}
   order by p.event_id, p.redaction_nid limit $3`,
);

const selectPowers = sql<Pick<PendingRedaction, 'redaction_nid' | 'has_power'>, [eventIds: string, nids: string]>(
  'pending-redactions.powers',
  `select redaction_nid, has_power from pending_redactions
   where event_id in (select value from json_each(cast($1 as text)))
     and redaction_nid in (select cast(value as bigint) from json_each(cast($2 as text)))`,
);

const selectTargets = sql<{ event_id: string }, [eventIds: string]>(
  'pending-redactions.targets',
  `select distinct event_id from pending_redactions
   where event_id in (select value from json_each(cast($1 as text)))`,
);

const selectOverdue = sql<OverdueRedaction, [limit: number]>(
  'pending-redactions.overdue',
  `select distinct p.event_id, r.room_id from pending_redactions p
     join events e on e.event_id = p.event_id and e.status in (${eventStatus.accepted}, ${eventStatus.outlier})
     join rooms r on r.room_nid = p.room_nid
   limit $1`,
);

const deleteOne = sql<void, [eventId: string, redactionNid: number]>(
  'pending-redactions.delete',
  'delete from pending_redactions where event_id = $1 and redaction_nid = $2',
);

const deleteOfEvent = sql<void, [eventId: string, roomNid: number]>(
  'pending-redactions.delete-of-event',
  'delete from pending_redactions where event_id = $1 and room_nid = $2',
);

const selectDue = sql<OverdueRedaction, [eventIds: string]>(
  'pending-redactions.due',
  `select distinct p.event_id, r.room_id from pending_redactions p join rooms r on r.room_nid = p.room_nid
   where p.event_id in (select value from json_each(cast($1 as text)))`,
);

/**
 * Keeps a redaction in mind until what it redacts is there, and redacted: for ever, if that never comes, since nobody could tell, and what came
 * after all would show what its room has redacted. It is what an index of the stored redactions by what they name would hold, less what has been seen to:
 * never more rows than there are redactions stored, of a tenth of the size.
 */
export function addPendingRedaction(
  set: WriteSet,
  { eventId, hasPower }: Redacts,
  redaction: { readonly eventNid: number; readonly roomNid: number },
): void {
  set.add(insert, [eventId, redaction.eventNid, redaction.roomNid, hasPower ? 1 : 0]);
}

/** Of some redactions that name some events: what was found of their senders' power. Those that have been seen to are left out. */
export async function readRedactionPowers(
  reader: Reader,
  eventIds: readonly string[],
  redactionNids: readonly number[],
): Promise<ReadonlyMap<number, number | null>> {
  if (redactionNids.length === 0) return new Map();
  const rows = await reader.all(selectPowers, [JSON.stringify(eventIds), JSON.stringify(redactionNids)]);
  return new Map(rows.map((row) => [row.redaction_nid, row.has_power]));
}

/** Those of an event, by their numbers. */
export function readPendingRedactions(
  reader: Reader,
  roomNid: number,
  eventId: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<PendingRedaction[]> {
  return reader.all(selectOfEvent, [eventId, roomNid, after, limit]);
}

/** Those that clients were not told of while some events were not here. */
export async function readWithheldRedactions(
  reader: Reader,
  roomNid: number,
  eventIds: readonly string[],
  limit: number,
): Promise<(PendingRedaction & { readonly redacts: string })[]> {
  return eventIds.length === 0 ? [] : reader.all(selectOfEvents, [roomNid, JSON.stringify(eventIds), limit]);
}

/** Those of some events that a redaction came before. */
export async function readPendingTargets(reader: Reader, eventIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (eventIds.length === 0) return new Set();
  return new Set((await reader.all(selectTargets, [JSON.stringify(eventIds)])).map((row) => row.event_id));
}

/** What a process that ended in the middle has left. */
export function readOverdueRedactions(reader: Reader, limit: number): Promise<OverdueRedaction[]> {
  return reader.all(selectOverdue, [limit]);
}

/** Says that events are stored, though not as part of their rooms, that redactions came before. */
export async function announcePendingRedactions(
  reader: Reader,
  set: WriteSet,
  eventIds: readonly string[],
): Promise<void> {
  for (const eventId of await readPendingTargets(reader, eventIds)) set.change('redaction_due', eventId);
}

/** The rooms of events that wait to be redacted. */
export async function readDueRedactions(reader: Reader, eventIds: readonly string[]): Promise<OverdueRedaction[]> {
  return eventIds.length === 0 ? [] : reader.all(selectDue, [JSON.stringify(eventIds)]);
}

/** An event has been redacted: its first redaction counts. */
export function dropPendingRedactions(set: WriteSet, eventId: string, roomNid: number): void {
  set.add(deleteOfEvent, [eventId, roomNid]);
}

export function dropPendingRedaction(set: WriteSet, eventId: string, redactionNid: number): void {
  set.add(deleteOne, [eventId, redactionNid]);
}
