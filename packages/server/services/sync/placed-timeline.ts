import { isJsonObject, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { answered } from '../reading/visibility.ts';
import { readerFor, type SyncContext, type SyncPass } from './pass.ts';
import { isStraight, rootAfter } from './state-roots.ts';
import { readTimelines, type Span, type Timeline } from './timelines.ts';

/** A timeline, and the root of the room's own state at the end of its stretch. */
export type PlacedTimeline = { readonly span: Span; readonly timeline: Timeline; readonly end: number };

/**
 * The timelines of spans, each fit to lead to the room's state. Where branches are merged, an event can be part of the
 * room without being its state; a client that takes the state from the timeline would believe it. For such a client the
 * timeline begins after that event, which it finds behind the gap. With `use_state_after` there is no need of that.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync}
 */
export async function readPlacedTimelines(
  context: SyncContext,
  spans: readonly Span[],
  { filter, stateField }: Pick<SyncPass, 'filter' | 'stateField'>,
): Promise<readonly PlacedTimeline[]> {
  const timelines = await readTimelines(context, spans, filter.room.timeline);
  const unknown = spans.filter((span) => endRoot(timelines.get(span.nid)) === undefined);
  const places = unknown.map((span) => ({ nid: span.nid, place: span.upTo }));
  const roots = await context.roots.at(readerFor(context, places.length), places);
  const read = new Map(unknown.map((span, index) => [span.nid, roots[index]]));
  const placed: PlacedTimeline[] = [];
  for (const span of spans) {
    const timeline = timelines.get(span.nid);
    const end = endRoot(timeline) ?? read.get(span.nid) ?? 0;
    if (timeline === undefined) continue;
    context.roots.remember({ nid: span.nid, place: span.upTo }, end);
    placed.push({ span, timeline: stateField === 'state' ? await fit(context, timeline, end) : timeline, end });
  }
  return placed;
}

function endRoot(timeline: Timeline | undefined): number | undefined {
  const last = timeline?.isUnbroken === true ? timeline.rows.at(-1) : undefined;
  return last && rootAfter(last);
}

async function fit({ db, states }: SyncContext, timeline: Timeline, end: number): Promise<Timeline> {
  const { rows, isUnbroken } = timeline;
  if (isUnbroken && isStraight(rows, rows[0]?.state_before)) return timeline;
  const entries = rows.filter(isStateEvent);
  if (entries.length === 0) return timeline;
  const keys = entries.map((row) => [row.type, row.state_key] as const);
  const nids = await answered(states.getMany(await answered(states.root(end)), keys));
  // What is the state then overrides what came before it; anything after it is not the state.
  const upheld = new Set(nids);
  const joined = await readJoined(db, nids, entries);
  const isUpheld = (row: ClientEventRow): boolean =>
    upheld.has(row.event_nid) ||
    // Another profile of somebody who is there either way is no reason to hide what was said meanwhile.
    (row.type === 'm.room.member' && joined.has(row.state_key ?? '') && isJoin(row));
  const seen = new Set<string>();
  const misleading = entries.findLast((row) => {
    const key = `${row.type}\0${row.state_key}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return !isUpheld(row);
  });
  if (misleading === undefined) return timeline;
  return {
    ...timeline,
    rows: rows.slice(rows.indexOf(misleading) + 1),
    limited: true,
    start: misleading.room_order ?? timeline.start,
    isComplete: false,
  };
}

/** Who of the members among some entries is joined, where the state has another event that says so. */
async function readJoined(
  db: Reader,
  nids: readonly (number | undefined)[],
  entries: readonly ClientEventRow[],
): Promise<ReadonlySet<string>> {
  const isOther = (nid: number, index: number) =>
    entries[index]?.type === 'm.room.member' && entries[index].event_nid !== nid;
  const others = nids.filter((nid, index) => nid !== undefined && isOther(nid, index));
  const rows = await readEvents(
    db,
    others.filter((nid) => nid !== undefined),
  );
  return new Set(rows.filter(isJoin).map((row) => row.state_key ?? ''));
}

function isJoin({ content }: ClientEventRow): boolean {
  const value = parseJson(content);
  return isJsonObject(value) && value['membership'] === 'join';
}

function isStateEvent(row: ClientEventRow): row is ClientEventRow & { readonly state_key: string } {
  return row.state_key !== null;
}
