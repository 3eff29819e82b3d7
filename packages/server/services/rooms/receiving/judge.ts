import { type AuthReject, authorise, authEventKeys, checkAuthEvents, type RoomEvent } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateEdit, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/event-row.ts';
import { eventStates } from '@portico/storage/stores/event-states.ts';
import type { StateResolver } from '../resolution/state-resolver.ts';
import type { StateEvents } from '../state-events.ts';
import { MissingEventsError, type ReceivedEvent, type ReceivingRoom } from './received-event.ts';

export type JudgeDependencies = {
  readonly reader: Reader;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly resolver: StateResolver;
};

/** What can be said of an event without looking at where its room stands now. */
export type Judgement = {
  readonly rejection: AuthReject | undefined;
  /** The state before the event: the resolution of the states after its previous events. */
  readonly stateBefore: StateRoot;
  /** That state, where it had to be made. */
  readonly edit: StateEdit | undefined;
  readonly authEventNids: readonly number[];
  /** The power levels among them. */
  readonly powerLevelsNid: number | undefined;
  /** The events that it follows; those behind a previous event that did not become part of the room included. */
  readonly follows: readonly string[];
  /** Those of its previous events that have no place in the timeline, nor anything behind them: between them lies a gap. */
  readonly missingBefore: readonly string[] | undefined;
};

/**
 * Checks 4 and 5 on receipt of a PDU: "Passes authorisation rules based on the event's auth events, otherwise it is
 * rejected. Passes authorisation rules based on the state before the event, otherwise it is rejected."
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu}
 *
 * Throws `MissingEventsError` where the event builds on others that are not here.
 */
export async function judge(
  deps: JudgeDependencies,
  room: ReceivingRoom,
  { event }: ReceivedEvent,
): Promise<Judgement> {
  const { authEvents, previous, create, outside } = await loadReferences(deps, room, event);
  const { root: stateBefore, edit } = await stateAfterAll(deps, room, previous);
  const further = await behind(deps, room, outside);
  const follows = [...event.prevEvents, ...further.found];
  const powerLevelsNid = authEvents.find((each) => each.event.type === 'm.room.power_levels')?.nid;
  const authEventNids = authEvents.map(({ nid }) => nid);
  const missingBefore = further.endless.length === 0 ? undefined : further.endless;
  const judgement = { stateBefore, edit, follows, missingBefore, authEventNids, powerLevelsNid };
  const rejection = await findRejection(deps, room, event, {
    create,
    stateBefore,
    authEvents: authEvents.map((authEvent) => authEvent.event),
  });
  return { ...judgement, rejection };
}

/** Why an event is to be rejected, by its auth events or by the state before it. */
export async function findRejection(
  deps: Pick<JudgeDependencies, 'states' | 'stateEvents'>,
  room: ReceivingRoom,
  event: RoomEvent,
  {
    authEvents,
    create,
    stateBefore,
  }: {
    readonly authEvents: readonly RoomEvent[];
    readonly create: RoomEvent | undefined;
    readonly stateBefore: StateRoot;
  },
): Promise<AuthReject | undefined> {
  const { rules } = room;
  return (
    refusal(checkAuthEvents(rules, event, authEvents)) ??
    refusal(authorise(rules, event, { create, get: (type, stateKey) => findState(authEvents, type, stateKey) })) ??
    refusal(authorise(rules, event, { create, get: await stateReader(deps, room, stateBefore, event) }))
  );
}

function refusal(decision: ReturnType<typeof authorise>): AuthReject | undefined {
  return decision.kind === 'reject' ? decision : undefined;
}

function findState(events: readonly RoomEvent[], type: string, stateKey: string): RoomEvent | undefined {
  return events.find((event) => event.type === type && event.stateKey === stateKey);
}

async function loadReferences(
  { reader, states, stateEvents }: JudgeDependencies,
  room: ReceivingRoom,
  event: RoomEvent,
) {
  const [authEvents, rows, createEvents] = await Promise.all([
    stateEvents.loadById(room.rules, event.authEvents),
    eventStates(reader, event.prevEvents),
    stateEvents.load(room.rules, [room.createEventNid]),
  ]);
  const known = new Map(rows.filter((row) => row.state_after !== null).map((row) => [row.event_id, row.state_after]));
  const missing = {
    authEvents: event.authEvents.filter((eventId) => !authEvents.has(eventId)),
    prevEvents: event.prevEvents.filter((eventId) => !known.has(eventId)),
  };
  if (missing.authEvents.length > 0 || missing.prevEvents.length > 0) throw new MissingEventsError(missing);
  const roots = new Set([...known.values()].filter((root) => root !== null));
  return {
    authEvents: event.authEvents.map((eventId) => getEvent(authEvents, eventId)),
    previous: await Promise.all([...roots].map((root) => states.root(root).run())),
    create: createEvents.get(room.createEventNid)?.event,
    outside: rows.filter(({ status }) => status !== eventStatus.accepted).map((row) => row.event_id),
  };
}

/** How far back the way through events outside the room is followed. */
const maxOutside = 100;

/** What events outside the room follow, through others of their kind; and those of them that follow nothing known. */
async function behind(
  { reader, stateEvents }: JudgeDependencies,
  { rules }: ReceivingRoom,
  outside: readonly string[],
): Promise<{ readonly found: readonly string[]; readonly endless: readonly string[] }> {
  const found = new Set<string>();
  const endless: string[] = [];
  let next = outside;
  while (next.length > 0 && found.size < maxOutside) {
    const events = [...(await stateEvents.loadById(rules, next)).values()].map(({ event }) => event);
    const previous = events.flatMap(({ prevEvents }) => prevEvents).filter((id) => !found.has(id));
    for (const eventId of previous) found.add(eventId);
    const rows = previous.length === 0 ? [] : await eventStates(reader, previous);
    const known = new Set(rows.map((row) => row.event_id));
    const isEndless = ({ prevEvents }: RoomEvent) => prevEvents.some((id) => previous.includes(id) && !known.has(id));
    endless.push(...events.filter(isEndless).map(({ eventId }) => eventId));
    next = rows.filter(({ status }) => status !== eventStatus.accepted).map((row) => row.event_id);
  }
  return { found: [...found], endless };
}

function getEvent<T>(events: ReadonlyMap<string, T>, eventId: string): T {
  const event = events.get(eventId);
  if (event === undefined) throw new Error(`${eventId} was not loaded`);
  return event;
}

/** The resolution of states. */
export async function stateAfterAll(
  { states, resolver }: Pick<JudgeDependencies, 'states' | 'resolver'>,
  room: ReceivingRoom,
  roots: readonly StateRoot[],
): Promise<{ readonly root: StateRoot; readonly edit: StateEdit | undefined }> {
  const [first] = roots;
  if (first === undefined) throw new Error('an event of a room follows none of its events');
  const changes = await resolver.resolve(room, roots);
  if (changes.length === 0) return { root: first, edit: undefined };
  const edit = await states.set(first, changes).run();
  return { root: edit.root, edit };
}

/** Reads from a state what judging an event looks at. */
async function stateReader(
  { states, stateEvents }: Pick<JudgeDependencies, 'states' | 'stateEvents'>,
  room: ReceivingRoom,
  root: StateRoot,
  event: RoomEvent,
): Promise<(type: string, stateKey: string) => RoomEvent | undefined> {
  const keys = [...authEventKeys(room.rules, event), ['m.room.create', ''] as const];
  const nids = await states.getMany(root, keys).run();
  const found = await stateEvents.load(
    room.rules,
    nids.filter((nid) => nid !== undefined),
  );
  const events = [...found.values()].map((state) => state.event);
  return (type, stateKey) => findState(events, type, stateKey);
}
