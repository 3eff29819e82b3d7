import { authorise, checkAuthEvents, type RoomEvent, type RoomVersionRules, serverNameOf } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import type { ChainAssignment, ChainStore } from '@portico/storage/chain-cover/index.ts';
import { emptyState, type StateChange, type StateRoot, type StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/event-row.ts';
import { eventStates } from '@portico/storage/stores/event-states.ts';
import { addEventOutsideTimeline, type NewEvent } from '@portico/storage/stores/events-write.ts';
import { readUnplaced, setPlace } from '@portico/storage/stores/room-import.ts';
import type { StateEvent } from '../head.ts';
import type { ReceivedEvent, ReceivingRoom } from '../receiving/received-event.ts';
import type { StateEvents } from '../state-events.ts';
import { inAuthOrder } from './topological-order.ts';

export type ImportDependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly stateEvents: StateEvents;
};

/** A room's state as another server gave it, with the events that authorise it. Hashes and signatures have been checked. */
export type GivenState = {
  readonly rules: RoomVersionRules;
  readonly roomId: string;
  readonly authChain: readonly ReceivedEvent[];
  readonly state: readonly ReceivedEvent[];
};

/** The state as it is stored now: what passed the rules. */
export type ImportedState = {
  readonly root: StateRoot;
  readonly createEventNid: number;
  readonly entries: readonly { readonly event: RoomEvent; readonly eventNid: number }[];
};

const eventsPerCommit = 200;
const entriesPerEdit = 1000;

/**
 * Stores the events of a state outside the timeline, those that their own auth events do not allow as rejected, and makes
 * the state of the others. In batches, so that neither the event loop nor the writer is held for long.
 */
export async function importState(
  deps: ImportDependencies,
  roomNid: number,
  given: GivenState,
  progress: (stored: number, all: number) => void = () => undefined,
): Promise<ImportedState> {
  const received = new Map([...given.authChain, ...given.state].map((each) => [each.event.eventId, each]));
  const ordered = inAuthOrder([...received.values()].map(({ event }) => event)).filter(
    (event) => event.stateKey !== undefined && event.roomId === given.roomId,
  );
  const judged = judgeInOrder(given.rules, ordered, nothing);
  const nids = await storeEvents(deps, roomNid, ordered, { received, judged, known: nothing }, progress);
  const entries = given.state.flatMap(({ event }) => {
    const eventNid = judged.get(event.eventId) === true ? nids.get(event.eventId) : undefined;
    return eventNid === undefined ? [] : [{ event, eventNid }];
  });
  const create = entries.find(({ event }) => event.type === 'm.room.create' && event.stateKey === '');
  if (create === undefined) throw new Error('an imported state has no create event');
  return { root: await makeState(deps.states, roomNid, entries), createEventNid: create.eventNid, entries };
}

/**
 * Stores state events outside the timeline, those that their own auth events do not allow as rejected. Auth events that are
 * not among them have to be here.
 */
export async function importOutliers(
  deps: ImportDependencies,
  { roomNid, roomId, rules, createEventNid }: ReceivingRoom & { readonly roomId: string },
  events: readonly ReceivedEvent[],
): Promise<void> {
  const received = new Map(events.map((each) => [each.event.eventId, each]));
  const ordered = inAuthOrder([...received.values()].map(({ event }) => event)).filter(
    (event) => event.stateKey !== undefined && event.roomId === roomId,
  );
  const named = new Set(ordered.flatMap((event) => event.authEvents).filter((eventId) => !received.has(eventId)));
  const known = new Map(await deps.stateEvents.loadById(rules, [...named]));
  for (const [nid, create] of await deps.stateEvents.load(rules, [createEventNid])) {
    known.set(create.event.eventId, { nid, event: create.event });
  }
  const judged = judgeInOrder(rules, ordered, known);
  await storeEvents(deps, roomNid, ordered, { received, judged, known }, () => undefined);
}

const nothing: ReadonlyMap<string, StateEvent> = new Map();

/**
 * Whether each event is allowed by its auth events; an event that names one which is not, or is neither there nor known, is
 * not.
 */
function judgeInOrder(
  rules: RoomVersionRules,
  ordered: readonly RoomEvent[],
  known: ReadonlyMap<string, StateEvent>,
): ReadonlyMap<string, boolean> {
  const judged = new Map<string, boolean>();
  const events = new Map(ordered.map((event) => [event.eventId, event]));
  for (const [eventId, { event }] of known) {
    if (events.has(eventId)) continue;
    events.set(eventId, event);
    judged.set(eventId, !event.rejected);
  }
  const create = [...events.values()].find((event) => event.type === 'm.room.create');
  for (const event of ordered) {
    const authEvents = event.authEvents.map((eventId) => events.get(eventId));
    judged.set(event.eventId, isAllowed(event, authEvents));
  }
  return judged;

  function isAllowed(event: RoomEvent, authEvents: readonly (RoomEvent | undefined)[]): boolean {
    const present = authEvents.filter((each) => each !== undefined);
    if (present.length < authEvents.length || present.some((each) => judged.get(each.eventId) !== true)) return false;
    if (checkAuthEvents(rules, event, present).kind === 'reject') return false;
    const get = (type: string, stateKey: string) =>
      present.find((each) => each.type === type && each.stateKey === stateKey);
    return authorise(rules, event, { get, create }).kind === 'allow';
  }
}

type Judged = {
  readonly received: ReadonlyMap<string, ReceivedEvent>;
  readonly judged: ReadonlyMap<string, boolean>;
  /** Events that are stored already and may be named by others. */
  readonly known: ReadonlyMap<string, StateEvent>;
};

async function storeEvents(
  deps: ImportDependencies,
  roomNid: number,
  ordered: readonly RoomEvent[],
  judged: Judged,
  progress: (stored: number, all: number) => void,
): Promise<ReadonlyMap<string, number>> {
  const nids = new Map([...judged.known].map(([eventId, { nid }]) => [eventId, nid]));
  for (let start = 0; start < ordered.length; start += eventsPerCommit) {
    const batch = ordered.slice(start, start + eventsPerCommit);
    for (const row of await eventStates(
      deps.db,
      batch.map((event) => event.eventId),
    )) {
      if (row.room_nid !== roomNid) throw new Error(`${row.event_id} is an event of another room`);
      nids.set(row.event_id, row.event_nid);
    }
    const stored = batch.map((event) => nids.get(event.eventId)).filter((nid) => nid !== undefined);
    const unplaced = await readUnplaced(deps.db, stored);
    const fresh = batch.filter(({ eventId }) => unplaced.has(nids.get(eventId) ?? -1) || !nids.has(eventId));
    if (fresh.length > 0) await storeBatch(deps, roomNid, fresh, judged, nids);
    progress(Math.min(start + eventsPerCommit, ordered.length), ordered.length);
  }
  return nids;
}

async function storeBatch(
  { db, chains, stateEvents }: ImportDependencies,
  roomNid: number,
  fresh: readonly RoomEvent[],
  { received, judged, known }: Judged,
  nids: Map<string, number>,
): Promise<void> {
  // Invitations were stored before anything else of their room: they have numbers, and get their place now.
  const stored = new Set(fresh.filter(({ eventId }) => nids.has(eventId)));
  const first = await db.reserveIds('event', fresh.length);
  for (const [index, event] of fresh.entries()) if (!stored.has(event)) nids.set(event.eventId, first + index);
  const chain = await chains.assign(
    roomNid,
    fresh.map((event) => ({
      eventNid: numberOf(nids, event),
      authEventNids: event.authEvents.map((eventId) => nids.get(eventId)).filter((nid) => nid !== undefined),
    })),
  );
  const places = placesOf(chain);
  const set = createWriteSet();
  for (const event of fresh) {
    const each = received.get(event.eventId);
    if (each === undefined) throw new Error('an event to import was not received');
    const eventNid = numberOf(nids, event);
    const isAllowed = judged.get(event.eventId) === true;
    const typeOf = (eventId: string) => (received.get(eventId) ?? known.get(eventId))?.event.type;
    const powerLevels = event.authEvents.find((eventId) => typeOf(eventId) === 'm.room.power_levels');
    const powerLevelsNid = powerLevels === undefined ? undefined : nids.get(powerLevels);
    const place = places.get(eventNid);
    const row = outlier(roomNid, eventNid, each, isAllowed);
    if (!stored.has(each.event)) addEventOutsideTimeline(set, { ...row, chain: place, powerLevelsNid });
    else if (place !== undefined) setPlace(set, eventNid, place, powerLevelsNid);
    if (isAllowed) stateEvents.add({ nid: eventNid, event });
  }
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

function outlier(roomNid: number, eventNid: number, { event, pieces }: ReceivedEvent, isAllowed: boolean): NewEvent {
  return {
    eventNid,
    eventId: event.eventId,
    roomNid,
    status: isAllowed ? eventStatus.outlier : eventStatus.rejected,
    type: event.type,
    stateKey: event.stateKey,
    sender: event.sender,
    originServerTs: event.originServerTs,
    depth: event.depth,
    ...pieces,
    stateBefore: undefined,
    stateAfter: undefined,
    headState: undefined,
    replacesNid: undefined,
    threadNid: undefined,
    ordinal: 0,
    chain: undefined,
    powerLevelsNid: undefined,
    transaction: undefined,
  };
}

async function makeState(states: StateStore, roomNid: number, entries: ImportedState['entries']): Promise<StateRoot> {
  let root = emptyState;
  for (let start = 0; start < entries.length; start += entriesPerEdit) {
    const changes: StateChange[] = entries
      .slice(start, start + entriesPerEdit)
      .map(({ event, eventNid }) => ({ type: event.type, stateKey: event.stateKey ?? '', event: eventNid }));
    const edit = await states.set(root, changes).run();
    await states.commitAhead(roomNid, edit);
    ({ root } = edit);
  }
  return root;
}

/** How many of the members of an imported state each server has. */
export function joinedHosts(entries: ImportedState['entries']): ReadonlyMap<string, number> {
  const hosts = new Map<string, number>();
  for (const { event } of entries) {
    if (event.type !== 'm.room.member' || event.content['membership'] !== 'join') continue;
    const host = serverNameOf(event.stateKey ?? '') ?? '';
    hosts.set(host, (hosts.get(host) ?? 0) + 1);
  }
  return hosts;
}
