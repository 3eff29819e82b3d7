import {
  type AuthReject,
  type AuthState,
  authorise,
  authEventKeys,
  checkAuthEvents,
  hasRedactionPower,
  type RoomEvent,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateEdit, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { eventStates } from '@portico/storage/stores/events/event-states.ts';
import { hasToldStates, toldAmong } from '@portico/storage/stores/events/told-states.ts';
import { findRoom } from '@portico/storage/stores/rooms/rooms.ts';
import type { StateEvents } from '../state-events.ts';
import type { Merged, Merger } from './merge.ts';
import { MissingEventsError, type ReceivingRoom } from './received-event.ts';
import type { References } from './references.ts';

export type JudgeDependencies = {
  readonly reader: Reader;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly merger: Merger;
};

/** What the rules say of an event by its auth events and by the state before it. */
export type Verdict = {
  /** Why it is to be rejected by either. */
  readonly rejection: AuthReject | undefined;
  /** Whether that is the state before it: what it names allows it. */
  readonly isRejectedByState: boolean;
  /** Of a redaction: whether its sender may redact what people of other servers have sent, by both. */
  readonly hasRedactionPower: boolean;
};

/** What can be said of an event without looking at where its room stands now. */
export type Judgement = Verdict & {
  /** The state before the event: the resolution of the states after its previous events. */
  readonly stateBefore: StateRoot;
  /** What that state had to be made by. */
  readonly edits: readonly StateEdit[];
  /** It is rejected by a state that rests on what another server has told: it may turn out otherwise. */
  readonly isDoubtful: boolean;
  readonly authEventNids: readonly number[];
  /** The power levels among them. */
  readonly powerLevelsNid: number | undefined;
  /** The events that it follows; those behind a previous event that did not become part of the room included. */
  readonly follows: readonly string[];
  /** Those of its previous events that have no place in the timeline, nor anything behind them: between them lies a gap. */
  readonly missingBefore: readonly string[] | undefined;
  /**
   * It is from before this server was in the room: what it follows is not here, and the state before it is what another says.
   * What lies between is no gap in the timeline.
   */
  readonly isOfThePast: boolean;
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
  event: RoomEvent,
  references: References,
): Promise<Judgement> {
  const { authEvents, previous, create, outside, isOfThePast } = await resolveReferences(deps, room, event, references);
  const { state, edit } = await deps.merger.stateAfterAll(room, previous);
  const passed = outside.length === 0 ? nothing : await behind(deps, room, outside);
  const follows = [...event.prevEvents, ...passed.found];
  const powerLevelsNid = authEvents.find((each) => each.event.type === 'm.room.power_levels')?.nid;
  const authEventNids = authEvents.map(({ nid }) => nid);
  const missingBefore = passed.endless.length === 0 ? undefined : passed.endless;
  const edits = edit === undefined ? [] : [edit];
  const judgement = { edits, follows, missingBefore, isOfThePast, authEventNids, powerLevelsNid };
  const grounds = { create, authEvents: authEvents.map((authEvent) => authEvent.event) };
  const verdict = await judgeByStates(deps, room, event, { ...grounds, stateBefore: state });
  const isDoubtful = verdict.isRejectedByState && (await hasToldStates(deps.reader, room.roomNid));
  if (!isDoubtful) return { ...judgement, ...verdict, stateBefore: state, isDoubtful };
  const present = await withPresent(deps, room, previous, state);
  if (present === undefined) return { ...judgement, ...verdict, stateBefore: state, isDoubtful };
  const second = await judgeByStates(deps, room, event, { ...grounds, stateBefore: present.state });
  const further = present.edit === undefined ? [] : [present.edit];
  if (second.rejection === undefined) {
    return { ...judgement, ...second, stateBefore: present.state, edits: [...edits, ...further], isDoubtful: false };
  }
  for (const each of further) deps.states.settle(each, false);
  return { ...judgement, ...second, stateBefore: state, isDoubtful: second.isRejectedByState };
}

/**
 * A state that another server has told may lack whomever that server wants to be heard no longer. The event is judged as if it followed
 * all that the room consists of here, too: whoever is part of the room can go on speaking in it. What the event names is not enough for that,
 * since only whole states can be resolved. Who was banned would name their old membership beside power levels that the moderator who
 * has banned them has no longer, and so the ban would not count.
 */
async function withPresent(
  { reader, states, merger }: JudgeDependencies,
  room: ReceivingRoom,
  previous: readonly StateRoot[],
  before: StateRoot,
): Promise<Merged | undefined> {
  const row = await findRoom(reader, room.roomNid);
  if (row === undefined) return undefined;
  const present = await states.root(row.state_root).run();
  return present.contentHash === before.contentHash ? undefined : merger.stateAfterAll(room, [...previous, present]);
}

/**
 * By what an event names and by what it follows, neither of which ever changes. Whoever had the power to redact when the
 * redaction was sent has redacted, whatever they have lost since; and nobody can name old power levels behind new ones.
 */
export async function judgeByStates(
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
): Promise<Verdict> {
  const { rules } = room;
  // Where auth events name a create event, that one is what the event is judged by.
  const named: AuthState = {
    create: rules.event.createInAuthEvents ? undefined : create,
    get: (type, stateKey) => findState(authEvents, type, stateKey),
  };
  const byName = refusal(checkAuthEvents(rules, event, authEvents)) ?? refusal(authorise(rules, event, named));
  if (byName !== undefined) return { rejection: byName, isRejectedByState: false, hasRedactionPower: false };
  const before: AuthState = { create, get: await stateReader(deps, room, stateBefore, event) };
  const hasPower = (state: AuthState) => hasRedactionPower(rules, state, event.sender);
  const byState = refusal(authorise(rules, event, before));
  return {
    rejection: byState,
    isRejectedByState: byState !== undefined,
    hasRedactionPower: event.redacts !== undefined && hasPower(named) && hasPower(before),
  };
}

function refusal(decision: ReturnType<typeof authorise>): AuthReject | undefined {
  return decision.kind === 'reject' ? decision : undefined;
}

function findState(events: readonly RoomEvent[], type: string, stateKey: string): RoomEvent | undefined {
  return events.find((event) => event.type === type && event.stateKey === stateKey);
}

async function resolveReferences(
  { states, stateEvents }: JudgeDependencies,
  room: ReceivingRoom,
  event: RoomEvent,
  references: References,
) {
  const authEvents = event.authEvents.map((eventId) => references.authEvent(eventId));
  const rows = event.prevEvents.map((eventId) => references.row(eventId));
  const missing = {
    authEvents: event.authEvents.filter((_, index) => authEvents[index] === undefined),
    prevEvents: event.prevEvents.filter((_, index) => (rows[index]?.state_after ?? null) === null),
  };
  const told = missing.prevEvents.length > 0 ? toldState(event, references) : undefined;
  const isLacking = missing.authEvents.length > 0 || (missing.prevEvents.length > 0 && told === undefined);
  if (isLacking) throw new MissingEventsError(missing);
  const here = told === undefined ? rows.filter((row) => row !== undefined) : [];
  const after = told === undefined ? here.map((row) => row.state_after).filter((root) => root !== null) : [told];
  const roots = new Set(after);
  const createEvents = await stateEvents.load(room.rules, [room.createEventNid]);
  return {
    authEvents: authEvents.filter((each) => each !== undefined),
    previous: await Promise.all([...roots].map((root) => states.root(root).run())),
    create: createEvents.get(room.createEventNid)?.event,
    outside: here.filter(({ status }) => status !== eventStatus.accepted).map((row) => row.event_id),
    isOfThePast: told !== undefined,
  };
}

/**
 * The state before a sticky message from before this server was in the room, where it was asked for: as an outlier it is
 * stored with it.
 */
function toldState({ eventId, stateKey, stickyMs }: RoomEvent, references: References): number | undefined {
  const own = references.row(eventId);
  if (stickyMs === undefined || stateKey !== undefined || own?.status !== eventStatus.outlier) return undefined;
  return own.state_after ?? undefined;
}

const nothing: Awaited<ReturnType<typeof behind>> = { found: [], endless: [] };

/** How far back the way through events outside the room is followed. */
const maxOutside = 100;

/**
 * What events outside the room follow, through others of their kind; and those of them that follow nothing known. Where another server has
 * told the state before one of them, what that follows goes on to be a branch: it could be left out of what was told.
 */
async function behind(
  { reader, stateEvents }: Pick<JudgeDependencies, 'reader' | 'stateEvents'>,
  { rules }: ReceivingRoom,
  outside: readonly string[],
): Promise<{ readonly found: readonly string[]; readonly endless: readonly string[] }> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const endless: string[] = [];
  let next = outside;
  let led = new Set(outside);
  while (next.length > 0 && seen.size < maxOutside) {
    const events = [...(await stateEvents.loadById(rules, next)).values()].map(({ event }) => event);
    const told = await toldAmong(reader, next);
    const leading = events.filter(({ eventId }) => led.has(eventId) && !told.has(eventId));
    led = new Set(leading.flatMap(({ prevEvents }) => prevEvents));
    for (const eventId of led) found.add(eventId);
    const previous = events.flatMap(({ prevEvents }) => prevEvents).filter((id) => !seen.has(id));
    for (const eventId of previous) seen.add(eventId);
    const rows = previous.length === 0 ? [] : await eventStates(reader, previous);
    const known = new Set(rows.map((row) => row.event_id));
    const isEndless = ({ prevEvents }: RoomEvent) => prevEvents.some((id) => previous.includes(id) && !known.has(id));
    endless.push(...events.filter(isEndless).map(({ eventId }) => eventId));
    next = rows.filter(({ status }) => status !== eventStatus.accepted).map((row) => row.event_id);
  }
  return { found: [...found], endless };
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
