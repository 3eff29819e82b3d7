import type { ServerName } from '@portico/protocol';
import { emptyState, type StateEdit, type StateRoot } from '@portico/storage/state-trie/index.ts';
import type { EventStatus } from '@portico/storage/stores/events/event-row.ts';
import { eventStates } from '@portico/storage/stores/events/event-states.ts';
import { readHistoryEvents } from '@portico/storage/stores/events/history.ts';
import type { ImportDependencies } from '../../rooms/importing/import-dependencies.ts';
import { asRedacted } from '../../rooms/receiving/as-redacted.ts';
import { judgeByStates } from '../../rooms/receiving/judge.ts';
import type { Merger } from '../../rooms/receiving/merge.ts';
import type { CheckedPdu } from '../rooms/check-pdus.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { PastState } from './past-state.ts';

export type JudgedEvent = {
  readonly received: CheckedPdu;
  /** The number under which it is stored, or will be. */
  readonly eventNid: number;
  /** What it was stored as so far. */
  readonly known: EventStatus | undefined;
  /** Whether it was redacted then: this is what that has left of it. */
  readonly isRedacted: boolean;
  readonly stateBefore: StateRoot;
  readonly stateAfter: StateRoot;
  /** The state event that it replaces. */
  readonly replacesNid: number | undefined;
  readonly isRejected: boolean;
  /** Whether the state before it is what the server has told. */
  readonly isTold: boolean;
  /** Whether that is by the state before it, which is what another server has told: another one may tell otherwise. */
  readonly isDoubtful: boolean;
  /** Of a redaction: whether its sender may redact what people of other servers have sent. */
  readonly hasRedactionPower: boolean;
};

export type JudgedStretch = { readonly events: readonly JudgedEvent[]; readonly edits: readonly StateEdit[] };

type Dependencies = {
  readonly importing: ImportDependencies;
  readonly merger: Merger;
  readonly pastState: PastState;
};

/** Times that a server is asked for the state before an event of one stretch. */
const mostQuestions = 10;

/** What the server that is asked does not tell, or not in a bearable number of answers. */
export class UntoldHistory extends Error {
  override readonly name = 'UntoldHistory';
}

/**
 * Judges events of the past, oldest first, by their auth events and by the state before them: that after the events they
 * follow, and where those are not here, what another server says. `behind` is the state before the event behind the gap.
 */
export async function judgeStretch(
  deps: Dependencies,
  room: FederatedRoom,
  server: ServerName,
  events: readonly CheckedPdu[],
  behind: { readonly state: StateRoot; readonly follows: readonly string[] },
): Promise<JudgedStretch> {
  const { db, states, stateEvents } = deps.importing;
  const isUneventful = isLine(events, behind.follows) && events.every(({ event }) => event.stateKey === undefined);
  const [rows, authEvents, creates, after] = await Promise.all([
    readHistoryEvents(
      db,
      events.map(({ event }) => event.eventId),
    ),
    stateEvents.loadById(room.rules, [...new Set(events.flatMap(({ event }) => event.authEvents))]),
    stateEvents.load(room.rules, [room.createEventNid]),
    statesAfter(deps, events),
  ]);
  const known = new Map(rows.map((row) => [row.event_id, row]));
  const create = creates.get(room.createEventNid)?.event;
  const first = await db.reserveIds('event', events.length);
  const judged: JudgedEvent[] = [];
  const edits: StateEdit[] = [];
  const told = new Set<string>();
  let questions = 0;

  async function stateBefore({ event }: CheckedPdu): Promise<StateRoot> {
    if (isUneventful) return behind.state;
    if (event.prevEvents.length === 0) return emptyState;
    const roots = new Map(event.prevEvents.map((eventId) => [eventId, after.get(eventId)]));
    const known = [...roots.values()].filter((root) => root !== undefined);
    if (known.length < roots.size) {
      if (++questions > mostQuestions) throw new UntoldHistory('The history has too many branches');
      told.add(event.eventId);
      return (await deps.pastState.before(room, server, event.eventId, behind.state)).root;
    }
    const { state, edit } = await deps.merger.stateAfterAll(room, known);
    if (edit !== undefined) edits.push(edit);
    return state;
  }

  for (const [index, received] of events.entries()) {
    const { event } = received;
    const row = known.get(event.eventId);
    const eventNid = row?.event_nid ?? first + index;
    const before = await stateBefore(received);
    const named = event.authEvents.map((eventId) => authEvents.get(eventId)?.event);
    const present = named.filter((each) => each !== undefined);
    const grounds = { authEvents: present, create, stateBefore: before };
    const verdict =
      present.length < named.length ? undefined : await judgeByStates({ states, stateEvents }, room, event, grounds);
    const isRejected = verdict === undefined || verdict.rejection !== undefined;
    // Its place in the auth chains is given to it before it is judged: what allows it came only just now.
    if (!isRejected && event.stateKey !== undefined && row === undefined) {
      throw new UntoldHistory('The history was not given with what allows it');
    }
    let root = before;
    let replacesNid: number | undefined;
    if (event.stateKey !== undefined && !isRejected) {
      replacesNid = await states.get(before, event.type, event.stateKey).run();
      const edit = await states.set(before, [{ type: event.type, stateKey: event.stateKey, event: eventNid }]).run();
      edits.push(edit);
      root = edit.root;
    }
    after.set(event.eventId, root);
    const isRedacted = row?.is_redacted === 1;
    judged.push({
      received: isRedacted ? asRedacted(room.rules, received) : received,
      isRedacted,
      eventNid,
      known: row?.status,
      stateBefore: before,
      stateAfter: root,
      replacesNid,
      isRejected,
      isTold: told.has(event.eventId),
      isDoubtful: verdict?.isRejectedByState === true,
      hasRedactionPower: verdict?.hasRedactionPower === true,
    });
  }
  return { events: judged, edits };
}

/** Whether each event follows the one before it and no other. */
function isLine(events: readonly CheckedPdu[], follows: readonly string[]): boolean {
  const ids = events.map(({ event }) => event.eventId);
  return (
    follows.length === 1 &&
    follows[0] === ids.at(-1) &&
    events.every(
      ({ event }, index) => event.prevEvents.length === 1 && (index === 0 || event.prevEvents[0] === ids[index - 1]),
    )
  );
}

/** The states after events that are here and that others follow. */
async function statesAfter(
  { importing: { db, states } }: Dependencies,
  events: readonly CheckedPdu[],
): Promise<Map<string, StateRoot>> {
  const own = new Set(events.map(({ event }) => event.eventId));
  const followed = new Set(events.flatMap(({ event }) => event.prevEvents).filter((eventId) => !own.has(eventId)));
  const found = new Map<string, StateRoot>();
  for (const row of await eventStates(db, [...followed])) {
    if (row.state_after !== null) found.set(row.event_id, await states.root(row.state_after).run());
  }
  return found;
}
