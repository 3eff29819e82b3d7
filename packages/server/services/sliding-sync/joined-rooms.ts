import { requires } from '@portico/protocol/sliding-sync/required-state.ts';
import { defaultFilter } from '@portico/protocol/sync-filter/filter.ts';
import type { ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { noBundles, type Bundles } from '../reading/client-event.ts';
import { readRedactions } from '../reading/event-reader.ts';
import type { AnswerContext } from '../sync/answer.ts';
import { withoutIgnored, type SharedBatch } from '../sync/batches.ts';
import { continuedSpan, wholeSpan } from '../sync/joined-rooms.ts';
import type { LazyMemory } from '../sync/lazy-memory.ts';
import { readerFor, type SyncPass } from '../sync/pass.ts';
import { readPlacedTimelines, type PlacedTimeline } from '../sync/placed-timeline.ts';
import { renderEvents } from '../sync/render.ts';
import { readMembersOf } from '../sync/states.ts';
import { readTimelineBundles } from '../sync/timeline-bundles.ts';
import type { Span, Timeline } from '../sync/timelines.ts';
import { plainForm } from './event-texts.ts';
import type { JoinedWish } from './plan.ts';
import { mayHaveRedactions, readRedactedState } from './redacted-state.ts';
import { readRequiredStates } from './required-reads.ts';

/** What is new in a room that the user is joined to. */
export type JoinedNews = {
  readonly wish: JoinedWish;
  /** `undefined` if there is nothing new in it. */
  readonly timeline: (Pick<Timeline, 'rows' | 'limited' | 'start'> & { readonly text: string }) | undefined;
  readonly isExpanded: boolean;
  /** Of the state, what is required of it and new. */
  readonly required: readonly ClientEventRow[];
  /** Of what is required, the last events of entries that the state no longer has. */
  readonly gone: readonly ClientEventRow[];
  readonly redactions: ReadonlyMap<number, ClientEventRow>;
  /** Everything of the state that is new and was looked at, by which the room's fields change; and what is no more. */
  readonly changed: readonly ClientEventRow[];
  readonly lost: readonly ClientEventRow[];
  readonly hasMembers: boolean;
};

type Reads = {
  readonly whole: ReadonlyMap<number, PlacedTimeline>;
  readonly batches: ReadonlyMap<number, SharedBatch>;
  readonly spans: readonly Span[];
};

const memberType = 'm.room.member';

export async function readJoinedNews(
  context: AnswerContext,
  wishes: readonly JoinedWish[],
  pass: SyncPass,
  memory: LazyMemory,
): Promise<readonly JoinedNews[]> {
  if (wishes.length === 0) return [];
  const reads = await readEventsOf(context, wishes, pass);
  const placed = await placeAll(context, wishes, reads, pass);
  const lazy = lazyMembers(wishes, reads, pass, memory);
  const redactable = wishes.filter((wish) => mayHaveRedactions(wish, reads.batches.get(nidOf(wish))));
  const fresh = new Set([...wishes.filter((wish) => wish.before === undefined || wish.wantsState), ...redactable]);
  const [states, members] = await Promise.all([
    readRequiredStates(
      context,
      [...fresh].flatMap((wish) => {
        const room = placed.get(nidOf(wish));
        return room === undefined ? [] : [{ placed: room, state: wish.wanted.config.state }];
      }),
      pass,
      [],
    ),
    readMembersOf(context, [...placed.values()], pass, lazy),
  ]);
  const bundles = await readBundlesOf(context, pass, reads);
  const redacted = await readRedactedState(context, redactable, states);
  const chosen = wishes.map((wish) => chooseState(wish, reads, { states, members, redacted }));
  const rows = wishes.flatMap((wish, index) => [
    ...(reads.whole.get(nidOf(wish))?.timeline.rows ?? []),
    ...(chosen[index]?.required ?? []),
  ]);
  const redactions = await readRedactions(context.db, rows);
  return wishes.map((wish, index) => {
    const { required = [], gone = [], changed = [], lost = [] } = chosen[index] ?? {};
    const batch = reads.batches.get(nidOf(wish));
    const whole = reads.whole.get(nidOf(wish));
    if (isGap(wish, batch)) memory.forgetRoom(nidOf(wish));
    noteMembers(wish, required, pass, memory);
    return {
      wish,
      timeline: timelineOf(wish, whole, batch, bundles, redactions, pass),
      isExpanded: wish.before !== undefined && whole !== undefined,
      required,
      gone,
      redactions,
      changed,
      lost,
      hasMembers: wish.before === undefined || batch?.hasMembers === true,
    };
  });
}

const nidOf = (wish: JoinedWish): number => wish.wanted.room.nid;

async function readEventsOf(context: AnswerContext, wishes: readonly JoinedWish[], pass: SyncPass): Promise<Reads> {
  const whole = new Map<number, PlacedTimeline>();
  const batches = new Map<number, SharedBatch>();
  const spans: Span[] = [];
  const groups = Map.groupBy(wishes, (wish) => wish.wanted.config.limit);
  await Promise.all(
    Array.from(groups, async ([limit, group]) => {
      const look = lookOf(limit);
      const wholes = group.flatMap(({ wanted: { room }, before, isExpanded }) => {
        if (room.entry === undefined || (before !== undefined && !isExpanded)) return [];
        return [wholeSpan({ entry: room.entry, isNew: true }, pass)];
      });
      const continued = group.flatMap(({ wanted: { room }, before, from, hasNews }) => {
        if (room.entry === undefined || before === undefined || !hasNews) return [];
        return [continuedSpan(room.entry, from, pass.upTo)];
      });
      spans.push(...continued);
      const [placed, found] = await Promise.all([
        wholes.length === 0 ? [] : readPlacedTimelines(context, wholes, look),
        continued.length === 0 ? [] : context.batches.find(continued, look, pass.now),
      ]);
      for (const room of placed) whole.set(room.span.nid, room);
      for (const [nid, batch] of found) batches.set(nid, batch);
    }),
  );
  return { whole, batches, spans };
}

type Look = Pick<SyncPass, 'filter' | 'shape' | 'stateField'>;
const looks = new Map<number, Look>();

/** Filters are recognised by numbers: those of `/sync` are not negative. */
function lookOf(limit: number): Look {
  let look = looks.get(limit);
  if (look === undefined) {
    const room = { ...defaultFilter.room, timeline: { ...defaultFilter.room.timeline, limit } };
    look = { filter: { ...defaultFilter, room }, shape: -1 - limit, stateField: 'state_after' };
    looks.set(limit, look);
  }
  return look;
}

/** Where each room's state is at the end of the answer. */
async function placeAll(
  context: AnswerContext,
  wishes: readonly JoinedWish[],
  { whole, batches, spans }: Reads,
  pass: SyncPass,
): Promise<ReadonlyMap<number, PlacedTimeline>> {
  const placed = new Map(whole);
  for (const span of spans) {
    const batch = batches.get(span.nid);
    if (batch !== undefined && !placed.has(span.nid)) placed.set(span.nid, { span, ...batch });
  }
  const missing = wishes.flatMap(({ wanted: { room }, wantsState }) =>
    wantsState && room.entry !== undefined && !placed.has(room.nid) ? [room.entry] : [],
  );
  const still = missing.map((entry) => continuedSpan(entry, pass.upTo, pass.upTo));
  const roots = await context.roots.at(
    readerFor(context, still.length),
    still.map((span) => ({ nid: span.nid, place: span.upTo })),
  );
  for (const [index, span] of still.entries()) {
    placed.set(span.nid, { span, timeline: noTimeline(span), end: roots[index] ?? 0 });
  }
  return placed;
}

function noTimeline({ upTo }: Span): Timeline {
  return { rows: [], memberships: undefined, limited: false, start: upTo, isComplete: false, isUnbroken: false };
}

/** "All the `senders` of events in `timeline`", and "the target […] of all membership events", unless the client knows them. */
function lazyMembers(
  wishes: readonly JoinedWish[],
  { whole, batches }: Reads,
  { since }: SyncPass,
  memory: LazyMemory,
): readonly [number, string][] {
  const wanted: [number, string][] = [];
  for (const wish of wishes) {
    if (wish.wanted.config.state.members !== 'lazy') continue;
    const nid = nidOf(wish);
    const { before } = wish;
    const timeline = whole.get(nid)?.timeline ?? batches.get(nid)?.timeline;
    if (timeline === undefined) continue;
    const isUnknown = before === undefined || isGap(wish, batches.get(nid));
    for (const member of peopleIn(timeline.rows)) {
      if (isUnknown || before.sentTo !== 'live' || !memory.knows(nid, member, since)) wanted.push([nid, member]);
    }
  }
  return wanted;
}

/** "Clients must flush any 'membership' cache when `limited` is true." */
function isGap({ before }: JoinedWish, batch: SharedBatch | undefined): boolean {
  return before === undefined || batch?.timeline.limited === true;
}

function peopleIn(rows: readonly ClientEventRow[]): ReadonlySet<string> {
  const people = new Set<string>();
  for (const row of rows) {
    people.add(row.sender);
    if (row.type === memberType && row.state_key !== null) people.add(row.state_key);
  }
  return people;
}

type Rows = ReadonlyMap<number, readonly ClientEventRow[]>;

function chooseState(
  wish: JoinedWish,
  { whole, batches }: Reads,
  { states, members, redacted }: { readonly states: Rows; readonly members: Rows; readonly redacted: Rows },
): Pick<JoinedNews, 'required' | 'gone' | 'changed' | 'lost'> {
  const nid = nidOf(wish);
  const { before, wantsState } = wish;
  const { state } = wish.wanted.config;
  const batch = batches.get(nid);
  const read = states.get(nid) ?? [];
  const delta = [...(batch?.state ?? []), ...(redacted.get(nid) ?? [])];
  const lost = batch?.gone ?? [];
  const people = state.members === 'lazy' ? peopleIn((whole.get(nid) ?? batch)?.timeline.rows ?? []) : undefined;
  const hasGap = isGap(wish, batch);
  const rows = new Map<number, ClientEventRow>();
  const isWanted = ({ type, state_key: key }: ClientEventRow): boolean =>
    // "All membership updates since the last sync when `limited` is false".
    (people !== undefined && type === memberType && (!hasGap || people.has(key ?? ''))) ||
    requires(state, type, key ?? '');
  for (const row of delta) if (isWanted(row)) rows.set(row.event_nid, row);
  for (const row of read) {
    const key = row.state_key ?? '';
    if (!requires(state, row.type, key)) continue;
    if (before === undefined || (wantsState && !requires(before.state, row.type, key))) rows.set(row.event_nid, row);
  }
  for (const row of members.get(nid) ?? []) rows.set(row.event_nid, row);
  const gone = lost.filter(isWanted);
  return { required: [...rows.values()], gone, changed: before === undefined ? read : delta, lost };
}

async function readBundlesOf(
  context: AnswerContext,
  pass: SyncPass,
  { whole, batches, spans }: Reads,
): Promise<Bundles> {
  const related: { readonly span: Span; readonly timeline: Timeline }[] = [...whole.values()];
  for (const span of spans) {
    const batch = batches.get(span.nid);
    if (batch?.hasRelated === true && !whole.has(span.nid)) related.push({ span, timeline: batch.timeline });
  }
  return related.length === 0 ? noBundles : readTimelineBundles(context, pass, related);
}

function timelineOf(
  wish: JoinedWish,
  whole: PlacedTimeline | undefined,
  batch: SharedBatch | undefined,
  bundles: Bundles,
  redactions: ReadonlyMap<number, ClientEventRow>,
  pass: SyncPass,
): JoinedNews['timeline'] {
  if (wish.wanted.config.limit === 0) return undefined;
  if (whole !== undefined) {
    const { rows, memberships, limited, start } = whole.timeline;
    const text = renderEvents(withoutIgnored(rows, pass.ignored), plainForm, {
      now: pass.now,
      redactions,
      bundles,
      device: pass,
      membershipOf: (row) => (memberships === undefined ? 'join' : memberships.get(row.event_nid)),
    });
    return { rows, limited, start, text };
  }
  if (batch === undefined) return undefined;
  const text = batch.timelineFor(pass, batch.hasRelated ? bundles : noBundles);
  if (text === '' && !batch.timeline.limited) return undefined;
  return { ...batch.timeline, text };
}

/** Notes which members the client will know once it has this answer. */
function noteMembers(
  wish: JoinedWish,
  required: readonly ClientEventRow[],
  { upTo }: SyncPass,
  memory: LazyMemory,
): void {
  for (const row of required) {
    if (row.type === memberType && row.state_key !== null) memory.add(nidOf(wish), row.state_key, upTo);
  }
}
