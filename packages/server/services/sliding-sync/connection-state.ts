import type { RequiredState } from '@portico/protocol/sliding-sync/required-state.ts';

/** What a client has of a room. */
export type SentRoom = {
  /** `live` for everything up to the position that it shows, else where that ended. */
  readonly sentTo: number | 'live';
  /** How much of the timeline it has, as far as there is no gap in it. */
  readonly limit: number;
  /** The user's own membership in what it has; undefined if it has nothing that can be continued. */
  readonly membership: string | undefined;
  readonly isDm: boolean;
  readonly state: RequiredState;
  /** Letters of the extensions of which it misses something here, since they were for other rooms. */
  readonly behind: string;
};

export type SentRooms = ReadonlyMap<number, SentRoom>;

/** What a connection remembers, as of one answer. */
export type ConnectionState = {
  readonly nid: number | undefined;
  readonly serial: number;
  readonly rooms: SentRooms;
  /** What the last answer was made of, if this process made it and it said everything. */
  readonly answered: Answered | undefined;
};

export type Answered = { readonly extensions: string; readonly shape: string; readonly lists: string };

export const newConnection: ConnectionState = { nid: undefined, serial: 0, rooms: new Map(), answered: undefined };
