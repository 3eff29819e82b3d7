import { passesNothing, passesRooms, type RoomEventFilter } from '@portico/protocol/sync-filter/event-filter.ts';
import { readNewest, readNewestOfMany, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { eventTest } from '../reading/event-reader.ts';
import { readPage, type SeenEvent } from '../reading/page.ts';
import { asSeen, type RoomViewer } from '../reading/visibility.ts';
import { readerFor, type SyncContext } from './pass.ts';

/** A stretch of a room that a client is to get. */
export type Span = {
  readonly nid: number;
  readonly id: string;
  readonly after: number;
  readonly upTo: number;
  /** For whom visibility has to be judged; `undefined` for somebody joined all along. */
  readonly viewer: RoomViewer | undefined;
};

export type Timeline = {
  /** Oldest first. */
  readonly rows: readonly ClientEventRow[];
  /** The viewer's membership at each event, where it was not `join` throughout. */
  readonly memberships: ReadonlyMap<number, string> | undefined;
  /** Whether the stretch holds more events before these. */
  readonly limited: boolean;
  /** The place before the timeline: its first event, and all that the reader is not shown before that, lie behind it. */
  readonly start: number;
  /** Whether every event of the stretch is in `rows`. */
  readonly isComplete: boolean;
  /** Whether every event from the first of `rows` to the end of the stretch is there. */
  readonly isUnbroken: boolean;
};

const defaultLimit = 10;
const maxLimit = 500;

export function timelineLimit(filter: RoomEventFilter): number {
  return Math.min(filter.limit ?? defaultLimit, maxLimit);
}

/** The last events of each span that the filter and the room's rules let pass. */
export async function readTimelines(
  context: SyncContext,
  spans: readonly Span[],
  filter: RoomEventFilter,
): Promise<ReadonlyMap<number, Timeline>> {
  const limit = timelineLimit(filter);
  const wanted = passesNothing(filter) ? [] : spans.filter((span) => passesRooms(filter, span.id));
  const rows = await readRows(context, wanted, limit + 1);
  const test = eventTest(filter);
  const timelines = new Map<number, Timeline>();
  for (const span of spans) {
    const newestFirst = rows.get(span.nid);
    if (newestFirst === undefined) timelines.set(span.nid, emptyTimeline(span));
    else if (span.viewer === undefined && test === undefined)
      timelines.set(span.nid, plainTimeline(span, newestFirst, limit));
    else timelines.set(span.nid, await filteredTimeline(context, span, newestFirst, limit, test));
  }
  return timelines;
}

async function readRows(
  context: SyncContext,
  spans: readonly Span[],
  limit: number,
): Promise<ReadonlyMap<number, ClientEventRow[]>> {
  const ranges = spans.map((span) => ({ roomNid: span.nid, after: span.after, upTo: span.upTo }));
  const [first] = ranges;
  const rows = new Map<number, ClientEventRow[]>();
  if (first === undefined) return rows;
  const found =
    ranges.length === 1
      ? await readNewest(context.db, first, limit)
      : await readNewestOfMany(readerFor(context, spans.length), ranges, limit);
  for (const row of found) {
    const ofRoom = rows.get(row.room_nid);
    if (ofRoom === undefined) rows.set(row.room_nid, [row]);
    else ofRoom.push(row);
  }
  return rows;
}

export function emptyTimeline({ upTo }: Span): Timeline {
  return { rows: [], memberships: undefined, limited: false, start: upTo, isComplete: false, isUnbroken: false };
}

function plainTimeline({ upTo }: Span, all: ClientEventRow[], limit: number): Timeline {
  const newestFirst = upToGap(all);
  const limited = newestFirst.length > limit || endsAtGap(newestFirst);
  const rows = newestFirst.slice(0, limit).reverse();
  const [first] = rows;
  const start = first === undefined ? upTo : (first.room_order ?? 0) - 1;
  return { rows, memberships: undefined, limited, start, isComplete: !limited, isUnbroken: true };
}

async function filteredTimeline(
  context: SyncContext,
  span: Span,
  all: readonly ClientEventRow[],
  limit: number,
  test: ((row: ClientEventRow) => boolean) | undefined,
): Promise<Timeline> {
  const viewer = span.viewer ?? joinedThroughout;
  const newestFirst = upToGap(all);
  const isCut = endsAtGap(newestFirst);
  const sights = await context.visibility.judge(viewer, newestFirst);
  let events: SeenEvent[] = [];
  for (const sent of newestFirst) {
    const sight = sights.get(sent.event_nid);
    const row = asSeen(sent, sight);
    if (sight === undefined || row === undefined || test?.(row) === false) continue;
    events.push({ row, membership: sight.membership });
  }
  let limited = isCut || newestFirst.length > limit;
  // One more than fits is looked for: what the filter leaves out is not what the limit kept from being told.
  if (limited && !isCut && events.length <= limit) {
    const read = newestFirst.at(-1)?.room_order ?? 0;
    const page = await readPage(context, {
      range: { roomNid: span.nid, after: span.after, upTo: read - 1 },
      direction: 'backwards',
      limit: limit + 1 - events.length,
      viewer,
      ignored: nobody,
      test,
    });
    events.push(...page.events);
    limited = events.length > limit || page.next !== undefined;
  }
  events = events.slice(0, limit).reverse();
  const firstOrder = events[0]?.row.room_order;
  return {
    rows: events.map(({ row }) => row),
    memberships: span.viewer && new Map(events.map(({ row, membership }) => [row.event_nid, membership])),
    limited,
    // With nothing to show, the state goes up to the end of the stretch instead.
    start: typeof firstOrder === 'number' ? firstOrder - 1 : span.upTo,
    isComplete: false,
    isUnbroken: false,
  };
}

/** The events behind the last gap among some: a timeline has no holes. */
function upToGap(newestFirst: readonly ClientEventRow[]): readonly ClientEventRow[] {
  const index = newestFirst.findIndex((row) => row.missing_before !== null);
  return index === -1 ? newestFirst : newestFirst.slice(0, index + 1);
}

function endsAtGap(newestFirst: readonly ClientEventRow[]): boolean {
  return typeof newestFirst.at(-1)?.missing_before === 'string';
}

const joinedThroughout: RoomViewer = { userId: '', joinedSince: -1, joinedUntil: Infinity };
const nobody: ReadonlySet<string> = new Set();
