import { readEvents, type ClientEventRow } from '@portico/storage/stores/timeline.ts';
import { eventTest, readRedactions } from '../reading/event-reader.ts';
import { readForm, withoutIgnored } from './batches.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import type { LeftPlan } from './plan.ts';
import { renderEvents } from './render.ts';
import { timelineAndState } from './room-text.ts';
import { readStateDeltas, readStateThen } from './states.ts';
import { readTimelines, type Span, type Timeline } from './timelines.ts';

/** Rooms that the user is no longer in: up to when they left, and nothing later. As JSON members. */
export async function readLeftRooms(
  context: SyncContext,
  plans: readonly LeftPlan[],
  pass: SyncPass,
): Promise<readonly string[]> {
  if (plans.length === 0) return [];
  const { filter, userId } = pass;
  const spans = plans.map((plan): Span => {
    const viewer = { userId, joinedSince: undefined, joinedUntil: plan.joinedUntil ?? -1 };
    return { nid: plan.nid, id: plan.id, after: plan.since ?? -1, upTo: plan.end, viewer };
  });
  const wereIn = spans.filter((_, index) => plans[index]?.joinedUntil !== undefined);
  const timelines = new Map(await readTimelines(context, wereIn, filter.room.timeline));
  const outside = plans.filter((plan) => plan.joinedUntil === undefined);
  // Of a room that they never were in they are told nothing but that the invite, or the knock, has come to its end.
  for (const row of await readEvents(
    context.db,
    outside.map((plan) => plan.eventNid),
  )) {
    timelines.set(row.room_nid, lastWord(row));
  }

  const texts: string[] = [];
  const deltas = await readStateDeltas(
    context,
    wereIn.flatMap((span, index) => {
      const timeline = timelines.get(span.nid);
      return timeline === undefined || wereIn[index]?.after === -1 ? [] : [{ span, timeline }];
    }),
    pass,
  );
  for (const [index, plan] of plans.entries()) {
    const timeline = timelines.get(plan.nid);
    const span = spans[index];
    if (timeline === undefined || span === undefined) continue;
    texts.push(await leftRoom(context, pass, plan, { span, timeline }, deltas.get(plan.nid)));
  }
  return texts;
}

async function leftRoom(
  context: SyncContext,
  pass: SyncPass,
  plan: LeftPlan,
  { span, timeline }: { readonly span: Span; readonly timeline: Timeline },
  delta: readonly ClientEventRow[] | undefined,
): Promise<string> {
  const senders = new Set([pass.userId, ...timeline.rows.map((row) => row.sender)]);
  let state: readonly ClientEventRow[] = delta ?? [];
  if (plan.joinedUntil !== undefined && plan.since === undefined) {
    state = await readStateThen(context, { span, timeline }, pass, senders);
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
  return { rows: [row], memberships: undefined, limited: false, start, hasGap: false, isComplete: true };
}
