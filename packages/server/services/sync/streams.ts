import type { Filter } from '@portico/protocol/sync-filter/filter.ts';
import type { Reader } from '@portico/storage';

/** What a stream is asked for one request. */
export type StreamRequest = {
  /** What to read with: for a large answer the thread for long reads. */
  readonly reader: Reader;
  readonly userId: string;
  readonly deviceId: string;
  /** What the client has; `undefined` for nothing yet. Streams in memory look at `serial` instead. */
  readonly since: number | undefined;
  readonly upTo: number;
  readonly serial: string | undefined;
  readonly filter: Filter;
  /** At most so many of what comes one by one; as many as the stream thinks right if absent. */
  readonly limit?: number | undefined;
  /** The rooms whose part is wanted, by number, with their IDs: all that changed, or may have. */
  readonly rooms: ReadonlyMap<number, string>;
  /** Joined rooms that the client gets in full, since it has nothing of them yet. */
  readonly newRooms: ReadonlySet<number>;
  /** Those of them that the client has had before, and may show as they were then. */
  readonly returningRooms?: ReadonlySet<number>;
  /** Every joined room that the filter lets pass. */
  readonly allRooms: () => ReadonlyMap<number, string>;
  /** Whether something may be new that concerns the user themself: one of the stream's kinds whose keys name users. */
  readonly mayConcernUser: boolean;
};

/** A sticky event, and which one it is: where it is in the timeline of the same answer it is not told twice. */
export type StickyPart = { readonly nid: number; readonly text: string };

/** What a stream adds to a joined room: events as JSON texts. */
export type RoomParts = {
  readonly ephemeral?: readonly string[];
  readonly accountData?: readonly string[];
  readonly sticky?: readonly StickyPart[];
  /** Whether the user's unread counts may be others now, even if there are no events to show for it. */
  readonly recount?: boolean;
};

export type StreamParts = {
  /** Global account data, as JSON texts. */
  readonly accountData?: readonly string[];
  /** Top-level fields of the response, as JSON texts. */
  readonly fields?: ReadonlyMap<string, string>;
  readonly rooms?: ReadonlyMap<number, RoomParts>;
  /** What the next token says of this stream, instead of where it stood when the answer was begun. */
  readonly serial?: string;
};

/**
 * Something that `/sync` carries beside the timelines: account data, receipts, and, as they come, typing, presence,
 * to-device messages and device lists. A stream that has nothing new answers with nothing, and then wakes nobody.
 */
export type SyncStream = {
  readonly name: string;
  /** Whether sliding sync alone shows it: `/sync` then leaves it out. */
  readonly isSlidingOnly?: boolean;
  /** What it tells of rooms are ephemeral events, which can wait a little: a change of these kinds alone wakes nobody at once again and again. */
  readonly isEphemeral?: boolean;
  /** Whether it tells of the people in the user's rooms: whichever rooms a filter lets pass, of all of them. */
  readonly isOfPeople?: boolean;
  /** The kinds of committed changes that concern it, and what their keys name. */
  readonly kinds: ReadonlyMap<string, 'user' | 'room'>;
  /** For what no position says: its letter in the token, where it stands, and whether it has something for somebody. */
  readonly serial?: {
    readonly letter: string;
    readonly current: (userId: string) => string | undefined;
    readonly isPending: (userId: string, serial: string | undefined) => boolean;
    /** Whether that is reason enough to answer; if absent it always is. What is not due goes along with other news. */
    readonly isDue?: (userId: string, serial: string | undefined) => boolean;
    /** Whether a filter lets anything of it pass; if absent it may. What a reader does not want is no news to them. */
    readonly isWanted?: (filter: Filter) => boolean;
  };
  /** Top-level fields that every response has, even when there is nothing new. */
  readonly always?: (device: {
    readonly userId: string;
    readonly deviceId: string;
  }) => Promise<ReadonlyMap<string, string>>;
  readonly read: (request: StreamRequest) => Promise<StreamParts>;
  /** Called once for each request with a token: what was given up to there has arrived. */
  readonly acknowledged?: (token: {
    readonly userId: string;
    readonly deviceId: string;
    readonly since: number;
    readonly serial: string | undefined;
  }) => void;
};
