import type { RoomEvent } from '@portico/protocol';
import { createWriteSet } from '@portico/storage';
import type { ChainAssignment } from '@portico/storage/chain-cover/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { addEventOutsideTimeline, type NewEvent } from '@portico/storage/stores/events/events-write.ts';
import { announcePendingRedactions } from '@portico/storage/stores/events/pending-redactions.ts';
import { readUnplaced, setPlace } from '@portico/storage/stores/rooms/room-import.ts';
import { emptied } from '../receiving/emptied.ts';
import type { ReceivedEvent, ReceivingRoom } from '../receiving/received-event.ts';
import type { ImportDependencies } from './import-dependencies.ts';
import { unplacedEvent } from '../unplaced-event.ts';

/** An event that has been judged. */
export type JudgedReceived = ReceivedEvent & { readonly isAllowed: boolean };

const eventsPerCommit = 200;

/**
 * Stores state events outside the timeline, in an order in which each comes after its auth events. `nids` has the numbers of
 * those that are stored already, and of others that they name; the rest is added. In batches, so that neither the event
 * loop nor the writer is held for long.
 */
export async function storeImported(
  deps: ImportDependencies,
  { roomNid, rules }: Pick<ReceivingRoom, 'roomNid' | 'rules'>,
  ordered: readonly JudgedReceived[],
  nids: Map<string, number>,
  powerLevels: ReadonlySet<string>,
  progress: (stored: number, all: number) => void,
): Promise<void> {
  for (let start = 0; start < ordered.length; start += eventsPerCommit) {
    const batch = ordered.slice(start, start + eventsPerCommit);
    const stored = batch.map(({ event }) => nids.get(event.eventId)).filter((nid) => nid !== undefined);
    const unplaced = await readUnplaced(deps.db, stored);
    const fresh = batch.filter(({ event }) => unplaced.has(nids.get(event.eventId) ?? -1) || !nids.has(event.eventId));
    if (fresh.length > 0) await storeBatch(deps, { roomNid, rules }, fresh, nids, powerLevels);
    progress(Math.min(start + eventsPerCommit, ordered.length), ordered.length);
  }
}

async function storeBatch(
  { db, chains, stateEvents }: ImportDependencies,
  { roomNid, rules }: Pick<ReceivingRoom, 'roomNid' | 'rules'>,
  fresh: readonly JudgedReceived[],
  nids: Map<string, number>,
  powerLevels: ReadonlySet<string>,
): Promise<void> {
  // Invitations were stored before anything else of their room: they have numbers, and get their place now.
  const stored = new Set(fresh.filter(({ event }) => nids.has(event.eventId)));
  const first = await db.reserveIds('event', fresh.length);
  for (const [index, each] of fresh.entries()) if (!stored.has(each)) nids.set(each.event.eventId, first + index);
  const namedBy = (event: RoomEvent): number[] =>
    event.authEvents.map((eventId) => nids.get(eventId)).filter((nid) => nid !== undefined);
  const own = new Set(fresh.map(({ event }) => numberOf(nids, event)));
  const rejected = fresh.filter(({ isAllowed }) => !isAllowed);
  const named = rejected.flatMap(({ event }) => namedBy(event)).filter((nid) => !own.has(nid));
  const unplaced = await readUnplaced(db, named);
  const chain = await chains.assign(
    roomNid,
    fresh.map(({ event, isAllowed }) => ({
      eventNid: numberOf(nids, event),
      // Only what is rejected may name events of which it is not known what allowed them: nothing is resolved by it.
      authEventNids: namedBy(event).filter((nid) => isAllowed || !unplaced.has(nid)),
    })),
  );
  const places = placesOf(chain);
  const set = createWriteSet();
  for (const each of fresh) {
    const { event, isAllowed } = each;
    const eventNid = numberOf(nids, event);
    const base = event.authEvents.find((eventId) => powerLevels.has(eventId));
    const powerLevelsNid = base === undefined ? undefined : nids.get(base);
    const place = places.get(eventNid);
    const row = { ...outlier(roomNid, eventNid, each), chain: place, powerLevelsNid };
    if (!stored.has(each)) addEventOutsideTimeline(set, isAllowed ? row : emptied(rules, row));
    else if (place !== undefined) setPlace(set, row, place);
    // What is stored may have been redacted since.
    if (isAllowed && !stored.has(each)) stateEvents.add({ nid: eventNid, event });
  }
  await announcePendingRedactions(
    db,
    set,
    fresh.map(({ event }) => event.eventId),
  );
  chains.append(set, chain);
  let committed = false;
  try {
    await db.commit(set);
    committed = true;
  } finally {
    chains.settle(chain, committed);
  }
}

function numberOf(nids: ReadonlyMap<string, number>, { eventId }: RoomEvent): number {
  const nid = nids.get(eventId);
  if (nid === undefined) throw new Error(`${eventId} has no number`);
  return nid;
}

function placesOf(chain: ChainAssignment): ReadonlyMap<number, NewEvent['chain']> {
  return new Map(chain.events.map(({ eventNid, position }) => [eventNid, position]));
}

function outlier(roomNid: number, eventNid: number, { event, pieces, isAllowed }: JudgedReceived): NewEvent {
  const status = isAllowed ? eventStatus.outlier : eventStatus.rejected;
  return unplacedEvent({ eventNid, roomNid, status }, event, pieces);
}
