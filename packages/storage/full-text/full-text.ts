import type { Sql } from '../sql.ts';

/** What is searched for. Words are what `searchWords` makes of texts; scopes are words too. */
export type FullTextQuery = {
  /** All of them must be there. At least one. */
  readonly words: readonly string[];
  /** One of these must be there, and one of the parts, where not all will do. */
  readonly rooms: readonly number[];
  readonly parts: readonly string[] | undefined;
};

/** A document to index: the words of one part of an event. */
export type FullTextDocument = {
  readonly eventNid: number;
  readonly roomNid: number;
  readonly part: string;
  readonly words: readonly string[];
};

export type Match = { readonly event_nid: number; readonly rank: number };

export type RareMatches = {
  /** A JSON array of `[event_nid, room_nid, rank]`; `null` where none of the words is rare. */
  readonly matches: string | null;
};

/**
 * The only place where the two engines differ in what is asked of them: each has its own full text search. What it is made
 * of, words, is the same for both.
 */
export interface FullText {
  /** A JSON array of what `insert` takes. */
  readonly pack: (documents: readonly FullTextDocument[]) => string;
  /** Documents of events that were redacted meanwhile are left out. */
  readonly insert: Sql<void, [documents: string]>;
  readonly removeRoom: Sql<void, [scope: string, limit: number]>;
  readonly roomScope: (roomNid: number) => string;
  readonly query: (query: FullTextQuery) => string;
  /** Newest first, from an event on. */
  readonly newest: Sql<Match, [query: string, before: number, limit: number]>;
  readonly best: Sql<Match, [query: string, limit: number]>;
  /**
   * Where there is a way to tell that a word is rare without reading all of its documents: what matches in all rooms. That
   * takes as long as the word is rare, and not as long as the list of rooms.
   */
  readonly rare?: {
    readonly query: (query: Omit<FullTextQuery, 'rooms'>) => string;
    /** A JSON array. */
    readonly packWords: (words: readonly string[]) => string;
    readonly matches: Sql<RareMatches, [query: string, words: string, limit: number, isRanked: number]>;
  };
}
