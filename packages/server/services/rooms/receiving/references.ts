import type { RoomEvent } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { type EventStateRow, eventStates } from '@portico/storage/stores/events/event-states.ts';
import type { StateEvent } from '../head.ts';
import type { StateEvents } from '../state-events.ts';
import type { ReceivingRoom } from './received-event.ts';

/** What events name, and the events themselves as far as they are stored: read at once for all that came together. */
export interface References {
  /** Where an event stands; `undefined` for one that is not here. */
  row(eventId: string): EventStateRow | undefined;
  /** An auth event. */
  authEvent(eventId: string): StateEvent | undefined;
  /** Adds an event that is decided and not yet stored, for others to follow. */
  add(row: EventStateRow): void;
}

export async function loadReferences(
  { reader, stateEvents }: { readonly reader: Reader; readonly stateEvents: StateEvents },
  { rules, createEventNid }: ReceivingRoom,
  events: readonly RoomEvent[],
): Promise<References> {
  const named = events.flatMap(({ eventId, prevEvents, authEvents }) => [eventId, ...prevEvents, ...authEvents]);
  const rows = new Map((await eventStates(reader, [...new Set(named)])).map((row) => [row.event_id, row]));
  const authNids = events.flatMap(({ authEvents }) => authEvents.map((eventId) => rows.get(eventId)?.event_nid));
  const wanted = new Set([createEventNid, ...authNids.filter((nid) => nid !== undefined)]);
  const loaded = await stateEvents.load(rules, [...wanted]);
  return {
    row: (eventId) => rows.get(eventId),
    authEvent(eventId) {
      const row = rows.get(eventId);
      return row === undefined ? undefined : loaded.get(row.event_nid);
    },
    add: (row) => void rows.set(row.event_id, row),
  };
}
