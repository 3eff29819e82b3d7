import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import type { Bundles } from '../reading/client-event.ts';
import { withoutErasedProfiles } from '../reading/erased-profiles.ts';
import { eventTest, readRedactions } from '../reading/event-reader.ts';
import { membershipOf } from '../reading/members.ts';
import { readForLeftRooms } from './account-data-events.ts';
import { readForm, withoutIgnored } from './batches.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import type { LeftPlan } from './plan.ts';
import { type PlacedTimeline, readPlacedTimelines } from './placed-timeline.ts';
import { renderEvents, type RenderStyle } from './render.ts';
import { readTimelineBundles } from './timeline-bundles.ts';
import { timelineAndState } from './room-text.ts';
import { readStateDeltas, readStateThen } from './states.ts';
import { emptyTimeline, type Span, type Timeline } from './timelines.ts';

/** A room up to when the user left it, and what then became of their membership. */
export type Departure = {
  readonly plan: LeftPlan;
  readonly timeline: Timeline;
  readonly state: readonly ClientEventRow[];
  readonly redactions: ReadonlyMap<number, ClientEventRow>;
  readonly bundles: Bundles;
};

/** Rooms that the user is no longer in: up to when they left, and nothing later. */
export async function readDepartures(
  context: SyncContext,
  plans: readonly LeftPlan[],
  pass: SyncPass,
): Promise<readonly Departure[]> {
  if (plans.length === 0) return [];
  const { userId } = pass;
  const spans = plans.map((plan): Span => {
    const viewer = { userId, joinedSince: undefined, joinedUntil: plan.joinedUntil ?? -1 };
    return { nid: plan.nid, id: plan.id, after: plan.since ?? -1, upTo: plan.joinedUntil ?? plan.end, viewer };
  });
  const wereIn = spans.filter((_, index) => plans[index]?.joinedUntil !== undefined);
  const placed = await readPlacedTimelines(context, wereIn, pass);
  const rooms = new Map(placed.map((room) => [room.span.nid, room]));
  const later = plans.filter(({ joinedUntil = -1, end }) => end > joinedUntil);
  const lastWords = await readEvents(
    context.db,
    later.map((plan) => plan.eventNid),
  );

  const departures: Departure[] = [];
  const continued = placed.filter(({ span }) => span.after !== -1);
  const deltas = await readStateDeltas(context, continued, pass);
  for (const [index, plan] of plans.entries()) {
    const span = spans[index];
    const lastWord = lastWords.find((row) => row.room_nid === plan.nid);
    const room = rooms.get(plan.nid) ?? (span && { span, timeline: emptyTimeline(span), end: 0 });
    if (room !== undefined)
      departures.push(await readDeparture(context, pass, plan, room, deltas.get(plan.nid)?.changed, lastWord));
  }
  return departures;
}

async function readDeparture(
  context: SyncContext,
  pass: SyncPass,
  plan: LeftPlan,
  room: PlacedTimeline,
  delta: readonly ClientEventRow[] | undefined,
  /** What has become of their membership after their time in the room: all that they are told of that. */
  lastWord: ClientEventRow | undefined,
): Promise<Departure> {
  const timeline = lastWord === undefined ? room.timeline : withLastWord(room.timeline, lastWord);
  const senders = new Set([pass.userId, ...timeline.rows.map((row) => row.sender)]);
  let state: readonly ClientEventRow[] = delta ?? [];
  if (plan.joinedUntil !== undefined && plan.since === undefined) {
    const viewer = { userId: pass.userId, joinedSince: undefined, joinedUntil: plan.joinedUntil };
    state = await withoutErasedProfiles(context, viewer, await readStateThen(context, room, pass, senders));
  }
  // A client that asks for the state after the timeline takes nothing from the timeline itself.
  if (lastWord !== undefined && pass.stateField !== 'state') {
    state = [...state.filter((row) => !isSameEntry(row, lastWord)), lastWord];
  }
  const redactions = await readRedactions(context.db, [...timeline.rows, ...state]);
  return { plan, timeline, state, redactions, bundles: await readTimelineBundles(context, pass, [room]) };
}

/** How the events of a departure are written. */
export function departureStyle({ timeline, redactions, bundles }: Departure, pass: SyncPass): RenderStyle {
  const { memberships } = timeline;
  return { now: pass.now, redactions, bundles, device: pass, membershipOf: (row) => memberships?.get(row.event_nid) };
}

/** As JSON members. */
export async function readLeftRooms(
  context: SyncContext,
  plans: readonly LeftPlan[],
  pass: SyncPass,
): Promise<readonly string[]> {
  const texts: string[] = [];
  const accountData = await readForLeftRooms(context, new Set(plans.map(({ id }) => id)), pass);
  const test = eventTest(pass.filter.room.state);
  for (const departure of await readDepartures(context, plans, pass)) {
    const { plan, timeline } = departure;
    const state = test === undefined ? departure.state : departure.state.filter(test);
    const form = await readForm(context, pass.filter, [...timeline.rows, ...state]);
    const style = departureStyle(departure, pass);
    const text = timelineAndState(
      pass,
      { timeline },
      {
        timeline: renderEvents(withoutIgnored(timeline.rows, pass.ignored), form, style),
        state: renderEvents(state, form, { ...style, membershipOf: () => undefined }),
      },
    );
    const kept = accountData.get(plan.id)?.join(',') ?? '';
    texts.push(`${JSON.stringify(plan.id)}:{${text},"account_data":{"events":[${kept}]}}`);
  }
  return texts;
}

function withLastWord(timeline: Timeline, row: ClientEventRow): Timeline {
  const start = timeline.rows.length === 0 ? (row.room_order ?? 0) - 1 : timeline.start;
  const memberships = new Map(timeline.memberships).set(row.event_nid, membershipOf(row));
  return { ...timeline, rows: [...timeline.rows, row], memberships, start };
}

function isSameEntry(a: ClientEventRow, b: ClientEventRow): boolean {
  return a.type === b.type && a.state_key === b.state_key;
}
