import type { Database, Reader } from '@portico/storage';
import type { FullText, Match } from '@portico/storage/full-text/full-text.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { eventTest } from '../reading/event-reader.ts';
import type { Sight, Visibility } from '../reading/visibility.ts';
import { createPacer } from '../pacer.ts';
import { closeness } from './closeness.ts';
import { readMatchList, type RareMatch } from './match-list.ts';
import { searchedText } from './search-index.ts';
import type { SearchGroup, SearchPlace, SearchRequest } from './search-request.ts';
import type { SearchedRoom } from './searched-rooms.ts';

export type FoundEvent = {
  readonly row: ClientEventRow;
  readonly room: SearchedRoom;
  readonly rank: number;
  readonly membership: Sight['membership'];
};

export type Found = {
  readonly events: readonly FoundEvent[];
  /** Where to go on; `undefined` where there is nothing more for certain and the page was not filled. */
  readonly next: SearchPlace | undefined;
  /** Whether nothing comes after these. */
  readonly isLast: boolean;
  /**
   * "An approximate count of the total number of results found." Of what is not for the searcher not even the number: whoever
   * was put out of a room could try what is said there, word by word.
   */
  readonly count: number;
};

const maxScanned = 2000;

/**
 * A page of matches, without what the searcher may not see, ignores or did not ask for. A full page leads on, as clients
 * expect, even if nothing comes after it: "If this field is absent, there are no more results", and not the other way round.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search}
 */
export async function readMatches(
  context: { readonly db: Database; readonly visibility: Visibility },
  fullText: FullText,
  request: SearchRequest,
  rooms: ReadonlyMap<number, SearchedRoom>,
  ignored: ReadonlySet<string>,
  rare: readonly RareMatch[] | undefined,
): Promise<Found> {
  const { order, limit, place } = request;
  const list = await readMatchList(context.db.long, fullText, request, new Set(rooms.keys()), rare);
  const keep = createSieve(context, request, rooms, ignored);
  const events: FoundEvent[] = [];
  const countAll = async () => (await keep(context.db.long, list.counted)).size;

  if (order === 'rank') {
    const start = place !== undefined && 'offset' in place ? place.offset : 0;
    const ranked = (await rankByText(context.db.long, await list.best(), request.words)).slice(start);
    for (let offset = 0; offset < ranked.length; offset += limit) {
      const some = ranked.slice(offset, offset + limit);
      const kept = await keep(context.db, some);
      for (const [index, match] of some.entries()) {
        const next = { offset: start + offset + index };
        if (events.length === limit) return { events, next, isLast: false, count: await countAll() };
        const found = kept.get(match.event_nid);
        if (found !== undefined) events.push(found);
      }
    }
    const next = events.length < limit ? undefined : { offset: start + ranked.length };
    return { events, next, isLast: true, count: place === undefined ? events.length : await countAll() };
  }

  let before = place !== undefined && 'before' in place ? place.before : Number.MAX_SAFE_INTEGER;
  for (let scanned = 0; scanned < maxScanned;) {
    const some = await list.newest(before, limit + 1);
    const kept = await keep(context.db, some);
    for (const { event_nid: nid } of some) {
      if (events.length === limit) return { events, next: { before: nid + 1 }, isLast: false, count: await countAll() };
      before = nid;
      const found = kept.get(nid);
      if (found !== undefined) events.push(found);
    }
    if (some.length <= limit) {
      const next = events.length < limit ? undefined : { before };
      return { events, next, isLast: true, count: place === undefined ? events.length : await countAll() };
    }
    scanned += some.length;
  }
  return { events, next: { before }, isLast: false, count: await countAll() };
}

/** The closest first, and of those that are as close the newest. */
async function rankByText(
  reader: Reader,
  matches: readonly Match[],
  words: readonly string[],
): Promise<readonly Match[]> {
  const rows = await readEvents(
    reader,
    matches.map(({ event_nid: nid }) => nid),
  );
  const pace = createPacer();
  const ranked: Match[] = [];
  for (const row of rows) {
    await pace();
    ranked.push({ event_nid: row.event_nid, rank: closeness(searchedText(row) ?? '', words) });
  }
  return ranked.sort((a, b) => b.rank - a.rank || b.event_nid - a.event_nid);
}

function createSieve(
  { visibility }: { readonly visibility: Visibility },
  { filter, place }: SearchRequest,
  rooms: ReadonlyMap<number, SearchedRoom>,
  ignored: ReadonlySet<string>,
): (reader: Reader, matches: readonly Match[]) => Promise<ReadonlyMap<number, FoundEvent>> {
  const test = eventTest(filter);
  return async (reader, matches) => {
    const ranks = new Map(matches.map((match) => [match.event_nid, match.rank]));
    const rows = await readEvents(reader, [...ranks.keys()]);
    const kept = new Map<number, FoundEvent>();
    for (const [roomNid, ofRoom] of Map.groupBy(rows, (row) => row.room_nid)) {
      const room = rooms.get(roomNid);
      if (room === undefined) continue;
      const sights = await visibility.judge(room.viewer, ofRoom);
      for (const row of ofRoom) {
        const sight = sights.get(row.event_nid);
        if (sight?.answer !== 'yes' || row.redacted_by !== null || (row.room_order ?? Infinity) > room.end) continue;
        if (row.state_key === null && ignored.has(row.sender)) continue;
        if (place?.group !== undefined && !isOf(place.group, row, room)) continue;
        if (test !== undefined && !test(row)) continue;
        kept.set(row.event_nid, { row, room, rank: ranks.get(row.event_nid) ?? 0, membership: sight.membership });
      }
    }
    return kept;
  };
}

function isOf({ key, value }: SearchGroup, row: ClientEventRow, room: SearchedRoom): boolean {
  return value === (key === 'room_id' ? room.roomId : row.sender);
}
