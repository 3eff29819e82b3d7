import { readEvents, type ClientEventRow } from '@portico/storage/stores/timeline.ts';
import { eventTest, readRedactions } from '../reading/event-reader.ts';
import { readForm, withoutIgnored } from './batches.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import type { LeftPlan } from './plan.ts';
import { type PlacedTimeline, readPlacedTimelines } from './placed-timeline.ts';
import { renderEvents } from './render.ts';
import { timelineAndState } from './room-text.ts';
import { readStateDeltas, readStateThen } from './states.ts';
import type { Span, Timeline } from './timelines.ts';

/** Rooms that the user is no longer in: up to when they left, and nothing later. As JSON members. */
export async function readLeftRooms(
  context: SyncContext,
  plans: readonly LeftPlan[],
  pass: SyncPass,
): Promise<readonly string[]> {
  if (plans.length === 0) return [];
  const { userId } = pass;
  const spans = plans.map((plan): Span => {
    const viewer = { userId, joinedSince: undefined, joinedUntil: plan.joinedUntil ?? -1 };
    return { nid: plan.nid, id: plan.id, after: plan.since ?? -1, upTo: plan.end, viewer };
  });
  const wereIn = spans.filter((_, index) => plans[index]?.joinedUntil !== undefined);
  const placed = await readPlacedTimelines(context, wereIn, pass);
  const rooms = new Map(placed.map((room) => [room.span.nid, room]));
  const outside = plans.filter((plan) => plan.joinedUntil === undefined);
  // Of a room that they never were in they are told nothing but that the invite, or the knock, has come to its end.
  for (const row of await readEvents(
    context.db,
    outside.map((plan) => plan.eventNid),
  )) {
    const span = spans.find(({ nid }) => nid === row.room_nid);
    if (span !== undefined) rooms.set(row.room_nid, { span, timeline: lastWord(row), end: 0 });
  }

  const texts: string[] = [];
  const continued = placed.filter(({ span }) => span.after !== -1);
  const deltas = await readStateDeltas(context, continued, pass);
  for (const plan of plans) {
    const room = rooms.get(plan.nid);
    if (room !== undefined) texts.push(await leftRoom(context, pass, plan, room, deltas.get(plan.nid)));
  }
  return texts;
}

async function leftRoom(
  context: SyncContext,
  pass: SyncPass,
  plan: LeftPlan,
  room: PlacedTimeline,
  delta: readonly ClientEventRow[] | undefined,
): Promise<string> {
  const { timeline } = room;
  const senders = new Set([pass.userId, ...timeline.rows.map((row) => row.sender)]);
  let state: readonly ClientEventRow[] = delta ?? [];
  if (plan.joinedUntil === undefined) {
    // A client that asks for the state after the timeline takes nothing from the timeline itself.
    if (pass.stateField !== 'state') state = timeline.rows;
  } else if (plan.since === undefined) {
    state = await readStateThen(context, room, pass, senders);
  }
  const test = eventTest(pass.filter.room.state);
  if (test !== undefined) state = state.filter(test);
  const rows = [...timeline.rows, ...state];
  const redactions = await readRedactions(context.db, rows);
  const form = await readForm(context, pass.filter, rows);
  const style = { now: pass.now, redactions, device: pass };
  const membershipOf = (row: ClientEventRow) => timeline.memberships?.get(row.event_nid);
  const text = timelineAndState(
    pass,
    { timeline },
    {
      timeline: renderEvents(withoutIgnored(timeline.rows, pass.ignored), form, { ...style, membershipOf }),
      state: renderEvents(state, form, { ...style, membershipOf: () => undefined }),
    },
  );
  return `${JSON.stringify(plan.id)}:{${text},"account_data":{"events":[]}}`;
}

function lastWord(row: ClientEventRow): Timeline {
  const start = (row.room_order ?? 0) - 1;
  return { rows: [row], memberships: undefined, limited: false, start, isComplete: true, isUnbroken: true };
}
