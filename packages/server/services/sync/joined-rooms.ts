import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { readRedactions } from '../reading/event-reader.ts';
import { endOfPosition } from '../reading/tokens.ts';
import { noBundles, type Bundles } from '../reading/client-event.ts';
import { withoutErasedProfiles } from '../reading/erased-profiles.ts';
import { readForm, toBatch, withoutIgnored, type Batch, type Batches, type SharedBatch } from './batches.ts';
import { normalPosition, type UserRoom } from './online-index.ts';
import type { SyncContext, SyncPass } from './pass.ts';
import { hasNewEvents, type JoinedPlan } from './plan.ts';
import { renderEvents } from './render.ts';
import { timelineAndState, type JoinedRoom } from './room-text.ts';
import { type PlacedTimeline, readPlacedTimelines } from './placed-timeline.ts';
import { readTimelineBundles } from './timeline-bundles.ts';
import { readFullStates, readMembersOf } from './states.ts';
import { readSummaries, renderSummary, type Summary } from './summaries.ts';
import { eventTest } from '../reading/event-reader.ts';
import type { Span } from './timelines.ts';

type Rooms = Map<number, JoinedRoom>;

/** What is new in the rooms that the user is joined to. */
export async function readJoinedRooms(
  context: SyncContext,
  batches: Batches,
  plans: readonly JoinedPlan[],
  pass: SyncPass,
): Promise<Rooms> {
  const full = plans.filter((plan) => plan.full);
  const continued = plans.filter((plan) => !plan.full && hasNewEvents(plan.entry, pass.since ?? -1));
  const rooms: Rooms = new Map();
  if (full.length > 0) {
    await context.wholeRooms.run(pass.userId, () => readWholeRooms(context, full, pass, rooms));
  }
  if (continued.length > 0) await readContinuedRooms(context, batches, continued, pass, rooms);
  return rooms;
}

async function readContinuedRooms(
  context: SyncContext,
  batches: Batches,
  plans: readonly JoinedPlan[],
  pass: SyncPass,
  rooms: Rooms,
): Promise<void> {
  const { userId, filter, memory, since, now } = pass;
  const spans = plans.map(({ entry }) => continuedSpan(entry, since ?? 0, pass.upTo));
  const found = await batches.find(spans, pass, now);
  const bundles = await readRelated(context, pass, spans, found);
  const changed: (PlacedTimeline & { readonly batch: Batch; readonly timelineText: string })[] = [];
  for (const span of spans) {
    const batch = found.get(span.nid);
    if (batch === undefined) continue;
    const timelineText = batch.timelineFor(pass, batch.hasRelated ? bundles : noBundles);
    if (timelineText === '' && stateFor(pass, batch.state).length === 0 && !batch.timeline.limited) continue;
    const { timeline, end } = batch;
    changed.push({ span, timeline, end, batch, timelineText });
  }
  const summarized = changed.filter(({ batch }) => batch.hasMembers || batch.hasName).map(({ span }) => span.nid);
  const summaries = await readSummaries(context, summarized, userId);

  const { lazyLoadMembers, includeRedundantMembers } = filter.room.state;
  const wanted: [number, string][] = [];
  if (lazyLoadMembers) {
    for (const { span, batch } of changed) {
      const told = new Set(batch.state.map((row) => (row.type === 'm.room.member' ? row.state_key : null)));
      for (const member of new Set([...batch.senders, ...(summaries.get(span.nid)?.heroes ?? [])])) {
        const isKnown = !includeRedundantMembers && memory.knows(span.nid, member, since);
        if (!isKnown && !told.has(member)) wanted.push([span.nid, member]);
      }
    }
  }
  const members = await readMembersOf(context, changed, pass, wanted);
  for (const { span, batch, timelineText } of changed) {
    const state = stateFor(pass, [...batch.state, ...(members.get(span.nid) ?? [])]);
    if (lazyLoadMembers) remember(pass, span.nid, [...state, ...batch.timeline.rows], batch.senders);
    const texts = { timeline: timelineText, state: await stateText(context, pass, state, batch.redactions) };
    rooms.set(span.nid, joinedRoom(span, batch, timelineAndState(pass, batch, texts), summaries.get(span.nid)));
  }
}

async function readRelated(
  context: SyncContext,
  pass: SyncPass,
  spans: readonly Span[],
  batches: ReadonlyMap<number, SharedBatch>,
): Promise<Bundles> {
  const related = spans.flatMap((span) => {
    const batch = batches.get(span.nid);
    return batch?.hasRelated === true ? [{ span, timeline: batch.timeline }] : [];
  });
  return related.length === 0 ? noBundles : readTimelineBundles(context, pass, related);
}

/** What a client that follows a room is to get of it. */
export function continuedSpan({ room, nid, id }: UserRoom, since: number, upTo: number): Span {
  const history = room?.history ?? [];
  return {
    nid,
    id,
    after: endOfPosition(normalPosition(history, since)),
    upTo: endOfPosition(normalPosition(history, upTo)),
    viewer: undefined,
  };
}

async function readWholeRooms(
  context: SyncContext,
  plans: readonly JoinedPlan[],
  pass: SyncPass,
  rooms: Rooms,
): Promise<void> {
  const { userId, filter, now } = pass;
  const spans = plans.map((plan) => wholeSpan(plan, pass));
  const newlyJoined = new Set(
    plans.filter(({ isNew }) => isNew && pass.since !== undefined).map(({ entry }) => entry.nid),
  );
  const read = (await readPlacedTimelines(context, spans, pass)).map((room) =>
    newlyJoined.has(room.span.nid) ? unconnected(room) : room,
  );
  const nids = spans.map((span) => span.nid);
  const summaries = await readSummaries(context, nids, userId);
  const { lazyLoadMembers } = filter.room.state;
  const members: [number, string][] = [];
  if (lazyLoadMembers) {
    for (const { span, timeline } of read) {
      const senders = timeline.rows.map((row) => row.sender);
      const heroes = summaries.get(span.nid)?.heroes ?? [];
      for (const member of new Set([userId, ...senders, ...heroes])) members.push([span.nid, member]);
    }
  }
  const states = await readFullStates(context, read, pass, members);
  for (const { span } of read) {
    const rows = states.get(span.nid);
    if (rows === undefined || span.viewer === undefined) continue;
    states.set(span.nid, [...(await withoutErasedProfiles(context, span.viewer, rows))]);
  }
  const everything = read.flatMap(({ span, timeline }) => [...timeline.rows, ...(states.get(span.nid) ?? [])]);
  const redactions = await readRedactions(context.db, everything);
  const form = await readForm(context, filter, everything);
  const bundles = await readTimelineBundles(context, pass, read);
  for (const room of read) {
    const { span, timeline } = room;
    const batch = toBatch(room, { changed: stateFor(pass, states.get(span.nid) ?? []), gone: [] }, redactions);
    if (lazyLoadMembers) remember(pass, span.nid, [...batch.state, ...timeline.rows], batch.senders);
    const membershipOf = (row: ClientEventRow) =>
      timeline.memberships === undefined ? 'join' : timeline.memberships.get(row.event_nid);
    const style = { now, redactions, bundles, device: pass };
    const texts = {
      timeline: renderEvents(withoutIgnored(timeline.rows, pass.ignored), form, { ...style, membershipOf }),
      state: renderEvents(batch.state, form, { ...style, membershipOf: () => undefined }),
    };
    rooms.set(span.nid, joinedRoom(span, batch, timelineAndState(pass, batch, texts), summaries.get(span.nid)));
  }
}

/** What the client has of a room from before it was joined does not go on with this timeline. */
function unconnected(room: PlacedTimeline): PlacedTimeline {
  return { ...room, timeline: { ...room.timeline, limited: true } };
}

/** What a client is to get of a room of which it has nothing yet, or wants all again. */
export function wholeSpan(
  { entry, isNew }: Pick<JoinedPlan, 'entry' | 'isNew'>,
  { userId, since, upTo }: Pick<SyncPass, 'userId' | 'since' | 'upTo'>,
): Span {
  const { nid, id, order } = entry;
  return {
    nid,
    id,
    after: isNew || since === undefined ? -1 : endOfPosition(since),
    upTo: endOfPosition(upTo),
    viewer: isNew ? { userId, joinedSince: order, joinedUntil: Infinity } : undefined,
  };
}

function joinedRoom(
  { id }: Span,
  { timeline }: Pick<Batch, 'timeline'>,
  events: string,
  summary: Summary | undefined,
): JoinedRoom {
  const shown = new Set(timeline.rows.map((row) => row.event_nid));
  return { id, events, shown, summary: summary && renderSummary(summary) };
}

function stateFor({ filter }: SyncPass, rows: readonly ClientEventRow[]): readonly ClientEventRow[] {
  const test = eventTest(filter.room.state);
  return test === undefined ? rows : rows.filter(test);
}

async function stateText(
  context: SyncContext,
  { filter, now }: SyncPass,
  rows: readonly ClientEventRow[],
  known: Batch['redactions'],
): Promise<string> {
  if (rows.length === 0) return '';
  const redactions = rows.some(({ redacted_by: nid }) => nid !== null && !known.has(nid))
    ? await readRedactions(context.db, rows)
    : known;
  const form = await readForm(context, filter, rows);
  return renderEvents(rows, form, { now, redactions, device: undefined, membershipOf: () => undefined });
}

/** Notes which members the client will know once it has this answer. */
function remember(
  { memory, upTo }: SyncPass,
  nid: number,
  rows: readonly ClientEventRow[],
  senders: ReadonlySet<string>,
): void {
  for (const row of rows) {
    if (row.type === 'm.room.member' && row.state_key !== null) memory.add(nid, row.state_key, upTo);
  }
  // Who has no membership event to send is not looked for again either.
  for (const sender of senders) memory.add(nid, sender, upTo);
}
