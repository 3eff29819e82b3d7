import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** An event whose server has been answered although it has not become part of its room yet. */
export type LateEvent = {
  readonly event_id: string;
  readonly room_id: string;
  /** The server that sent it, and is asked for what it builds on. */
  readonly origin: string;
  readonly pdu: string;
};

const insert = sql<void, [eventId: string, roomId: string, origin: string, pdu: string]>(
  'late-events.insert',
  'insert into late_events (event_id, room_id, origin, pdu) values ($1, $2, $3, $4) on conflict do nothing',
);

export function addLateEvent(set: WriteSet, { event_id: eventId, room_id: roomId, origin, pdu }: LateEvent): void {
  set.add(insert, [eventId, roomId, origin, pdu]);
}

const remove = sql<void, [eventIds: string]>(
  'late-events.delete',
  'delete from late_events where event_id in (select value from json_each(cast($1 as text)))',
);

export function dropLateEvents(set: WriteSet, eventIds: readonly string[]): void {
  set.add(remove, [JSON.stringify(eventIds)]);
}

const selectSome = sql<LateEvent, [after: string, limit: number]>(
  'late-events.some',
  'select event_id, room_id, origin, pdu from late_events where event_id > $1 order by event_id limit $2',
);

/** By their IDs. */
export function readLateEvents(reader: Reader, after: string, limit: number): Promise<LateEvent[]> {
  return reader.all(selectSome, [after, limit]);
}

const removeTried = sql<void, [attempts: number]>(
  'late-events.delete-tried',
  'delete from late_events where attempts >= $1',
);
const countAttempt = sql('late-events.count-attempt', 'update late_events set attempts = attempts + 1');

/** Begins to see to those that a process before this one has left; but for those with which that was tried often enough. */
export function beginLateEvents(set: WriteSet, mostAttempts: number): void {
  set.add(removeTried, [mostAttempts]);
  set.add(countAttempt, []);
}
