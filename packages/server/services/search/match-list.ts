import type { Reader } from '@portico/storage';
import type { FullText, Match } from '@portico/storage/full-text/full-text.ts';
import type { SearchRequest } from './search-request.ts';

/** What matches in some rooms, whoever may see it. */
export type MatchList = {
  /** Those that are counted, the newest first: further ones than `maxCounted` are not. */
  readonly counted: readonly Match[];
  /** Newest first, from an event on. */
  readonly newest: (before: number, limit: number) => Promise<readonly Match[]>;
  /** The best come first. No more than `maxRanked`, however many there are: whoever looks further says more words. */
  readonly best: () => Promise<readonly Match[]>;
};

const maxRanked = 500;
const maxCounted = 200;

/** A match, in whatever room. */
export type RareMatch = Match & { readonly room_nid: number };

/** All that matches in all rooms, where one of the words is so rare that it can be looked for like that. */
export async function readRareMatches(
  reader: Reader,
  { rare }: FullText,
  { words, parts, order }: SearchRequest,
): Promise<readonly RareMatch[] | undefined> {
  if (rare === undefined) return undefined;
  const isRanked = order === 'rank' ? 1 : 0;
  const query = rare.query({ words, parts });
  const row = await reader.get(rare.matches, [query, rare.packWords(words), maxCounted, isRanked]);
  const matches = row?.matches ?? null;
  if (matches === null) return undefined;
  const found = JSON.parse(matches) as readonly (readonly [nid: number, roomNid: number, rank: number])[];
  return found.map(([nid, roomNid, rank]) => ({ event_nid: nid, room_nid: roomNid, rank }));
}

export async function readMatchList(
  reader: Reader,
  fullText: FullText,
  request: SearchRequest,
  rooms: ReadonlySet<number>,
  rare: readonly RareMatch[] | undefined,
): Promise<MatchList> {
  if (rare !== undefined) return listOf(rare.filter((match) => rooms.has(match.room_nid)).toSorted(byAge));

  const query = fullText.query({ ...request, rooms: [...rooms] });
  const last = Number.MAX_SAFE_INTEGER;
  const known = await reader.all(fullText.newest, [query, last, maxCounted]);
  if (known.length < maxCounted && request.order === 'recent') return listOf(known);
  return {
    counted: known,
    async newest(before, limit) {
      const some = known.filter((match) => match.event_nid < before);
      return some.length < limit ? reader.all(fullText.newest, [query, before, limit]) : some.slice(0, limit);
    },
    best: () => reader.all(fullText.best, [query, maxRanked]),
  };
}

/** The newest first. */
const byAge = (a: Match, b: Match): number => b.event_nid - a.event_nid;

/** The list of all there are, newest first. */
function listOf(matches: readonly Match[]): MatchList {
  return {
    counted: matches,
    newest: async (before, limit) => matches.filter((match) => match.event_nid < before).slice(0, limit),
    best: async () => matches.toSorted((a, b) => b.rank - a.rank || byAge(a, b)),
  };
}
