import { parseJson, type Pdu, type RoomVersionRules, toRoomEvent } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { stateEventsById } from '@portico/storage/stores/events/resolution.ts';
import { type StateEventRow, stateEventsByNid } from '@portico/storage/stores/events/state-events.ts';
import { createPacer } from '../pacer.ts';
import type { StateEvent } from './head.ts';

/** State events in memory, as rooms of the same version read them. */
export interface StateEvents {
  find(nid: number): StateEvent | undefined;
  add(event: StateEvent): void;
  /** Reads those that are not in memory, a few hundred with a query. Throws where one does not exist. */
  load(rules: RoomVersionRules, nids: readonly number[]): Promise<ReadonlyMap<number, StateEvent>>;
  /** Reads events by their IDs, a few hundred with a query; what does not exist is left out. */
  loadById(rules: RoomVersionRules, eventIds: readonly string[]): Promise<ReadonlyMap<string, StateEvent>>;
}

/** An event has up to 64 KiB: more than these take longer than others should have to wait. */
const atOnce = 200;

export function createStateEvents(db: Database, maxEvents = 50_000): StateEvents {
  const events = new Map<number, StateEvent>();
  /** Counts redactions: what was read while there was one may be what that event was before. */
  let redactions = 0;

  function add(event: StateEvent): void {
    events.set(event.nid, event);
    if (events.size > maxEvents) events.delete(events.keys().next().value ?? event.nid);
  }

  db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== 'redaction') continue;
        events.delete(Number(key));
        redactions += 1;
      }
    }
  });

  return {
    add,
    find(nid) {
      const event = events.get(nid);
      if (event === undefined) return undefined;
      events.delete(nid);
      events.set(nid, event);
      return event;
    },
    async load(rules, nids) {
      const found = new Map<number, StateEvent>();
      const missing: number[] = [];
      for (const nid of nids) {
        const event = events.get(nid);
        if (event === undefined) missing.push(nid);
        else found.set(nid, event);
      }
      if (missing.length > 0) {
        await inBatches(missing, async (batch) => {
          const before = redactions;
          for (const row of await stateEventsByNid(db, batch)) {
            const event = stateEventOf(rules, row);
            if (redactions === before) add(event);
            found.set(event.nid, event);
          }
        });
      }
      return found;
    },
    async loadById(rules, eventIds) {
      const found = new Map<string, StateEvent>();
      await inBatches(eventIds, async (batch) => {
        const before = redactions;
        for (const row of await stateEventsById(db, batch)) {
          const event = events.get(row.event_nid) ?? stateEventOf(rules, row);
          if (redactions === before) add(event);
          found.set(row.event_id, event);
        }
      });
      return found;
    },
  };
}

async function inBatches<T>(items: readonly T[], take: (batch: readonly T[]) => Promise<void>): Promise<void> {
  const pace = createPacer();
  for (let start = 0; start < items.length; start += atOnce) {
    await take(items.slice(start, start + atOnce));
    await pace();
  }
}

function stateEventOf(rules: RoomVersionRules, row: StateEventRow): StateEvent {
  const pdu = parseJson(row.before_content + row.content + row.after_content, 'lenient') as Pdu;
  const rejected = row.status === eventStatus.rejected;
  return { nid: row.event_nid, event: toRoomEvent(rules, pdu, row.event_id, { rejected }) };
}
