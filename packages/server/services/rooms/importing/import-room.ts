import { type RoomEvent, type RoomVersionRules, serverNameOf } from '@portico/protocol';
import { emptyState, type StateChange, type StateRoot, type StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { eventStates } from '@portico/storage/stores/events/event-states.ts';
import type { ReceivedEvent, ReceivingRoom } from '../receiving/received-event.ts';
import type { ImportDependencies } from './import-dependencies.ts';
import { type ImportVerdict, type JudgedEvent, judgeImported } from './judge-imported.ts';
import { storeImported } from './store-imported.ts';
import { inAuthOrder } from './topological-order.ts';

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

/** Another server has given a state that no room can have. */
export class UnusableState extends Error {
  override readonly name = 'UnusableState';
}

const entriesPerEdit = 200;
const idsPerQuery = 500;

/**
 * Stores the events of a state outside the timeline, those that their own auth events do not allow as rejected, and makes
 * the state of the others. Throws `UnusableState` where the room's create event is not among those.
 */
export async function importState(
  deps: ImportDependencies,
  roomNid: number,
  given: GivenState,
  progress: (stored: number, all: number) => void = () => undefined,
): Promise<ImportedState> {
  const room = { roomNid, roomId: given.roomId, rules: given.rules };
  const { verdicts, nids } = await importEvents(deps, room, [...given.authChain, ...given.state], progress);
  const entries = given.state.flatMap(({ event }) => {
    const eventNid = verdicts.get(event.eventId) === 'allowed' ? nids.get(event.eventId) : undefined;
    return eventNid === undefined ? [] : [{ event, eventNid }];
  });
  const create = entries.find(({ event }) => event.type === 'm.room.create' && event.stateKey === '');
  if (create === undefined) throw new UnusableState('The state has no create event that the rules allow');
  return { root: await makeState(deps.states, roomNid, entries), createEventNid: create.eventNid, entries };
}

/**
 * Stores state events outside the timeline, those that their own auth events do not allow as rejected. What cannot be judged,
 * since auth events are neither among them nor here, is left out.
 */
export async function importOutliers(
  deps: ImportDependencies,
  room: ReceivingRoom & { readonly roomId: string },
  events: readonly ReceivedEvent[],
): Promise<void> {
  await importEvents(deps, room, events, () => undefined);
}

type ImportRoom = Pick<ReceivingRoom, 'roomNid' | 'rules'> & {
  readonly roomId: string;
  readonly createEventNid?: number;
};

type Imported = {
  readonly verdicts: ReadonlyMap<string, ImportVerdict>;
  readonly nids: ReadonlyMap<string, number>;
};

async function importEvents(
  deps: ImportDependencies,
  room: ImportRoom,
  events: readonly ReceivedEvent[],
  progress: (stored: number, all: number) => void,
): Promise<Imported> {
  const received = new Map(events.map((each) => [each.event.eventId, each]));
  const ordered = inAuthOrder([...received.values()].map(({ event }) => event)).filter(
    (event) => event.stateKey !== undefined && event.roomId === room.roomId,
  );
  const nids = new Map<string, number>();
  const known = await readKnown(deps, room, ordered, nids);
  const verdicts = await judgeImported(room.rules, ordered, known);
  const isPowerLevels = ({ type }: RoomEvent) => type === 'm.room.power_levels';
  const judged = [...known.values()].map(({ event }) => event).concat(ordered);
  const powerLevels = new Set(judged.filter(isPowerLevels).map(({ eventId }) => eventId));
  const toStore = ordered.flatMap((event) => {
    const verdict = verdicts.get(event.eventId);
    const each = received.get(event.eventId);
    return each === undefined || verdict === 'unknown' ? [] : [{ ...each, isAllowed: verdict === 'allowed' }];
  });
  await storeImported(deps, room, toStore, nids, powerLevels, progress);
  return { verdicts, nids };
}

/** What is stored of these events, with what became of it, and of those by which they are to be judged. */
async function readKnown(
  { db, stateEvents }: ImportDependencies,
  { roomNid, roomId, rules, createEventNid = 0 }: ImportRoom,
  ordered: readonly RoomEvent[],
  nids: Map<string, number>,
): Promise<ReadonlyMap<string, JudgedEvent>> {
  const known = new Map<string, JudgedEvent>();
  const byId = new Map(ordered.map((event) => [event.eventId, event]));
  for (const eventIds of partsOf([...byId.keys()])) {
    for (const row of await eventStates(db, eventIds)) {
      const event = byId.get(row.event_id);
      const isElsewhere = row.room_nid !== roomNid;
      if (!isElsewhere) nids.set(row.event_id, row.event_nid);
      if (event === undefined || (!isElsewhere && row.status === eventStatus.outlier)) continue;
      const verdict = row.status === eventStatus.rejected ? 'rejected' : 'allowed';
      known.set(row.event_id, { event, verdict: isElsewhere ? 'unknown' : verdict });
    }
  }
  const named = new Set(ordered.flatMap((event) => event.authEvents).filter((eventId) => !byId.has(eventId)));
  const found = [...(await stateEvents.load(rules, createEventNid === 0 ? [] : [createEventNid])).values()];
  for (const eventIds of partsOf([...named])) found.push(...(await stateEvents.loadById(rules, eventIds)).values());
  for (const { nid, event } of found) {
    if (event.roomId !== roomId || byId.has(event.eventId)) continue;
    nids.set(event.eventId, nid);
    known.set(event.eventId, { event, verdict: event.rejected ? 'rejected' : 'allowed' });
  }
  return known;
}

function* partsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += idsPerQuery) yield items.slice(start, start + idsPerQuery);
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
