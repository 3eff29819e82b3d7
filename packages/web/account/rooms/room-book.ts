import type { JsonObject } from '@portico/protocol/json/value.ts';
import type { Session } from '../server/session.ts';
import { readInvitedNames, readRooms } from './read-rooms.ts';
import type { RoomInfo } from './room-info.ts';

export type Rooms = {
  /** Those that one is in, by name. */
  readonly joined: readonly RoomInfo[];
  readonly byId: ReadonlyMap<string, RoomInfo>;
  readonly invitedNames: ReadonlyMap<string, string>;
};

/** The rooms of a person, asked for once until somebody wants them anew. */
export interface RoomBook {
  load(): Promise<Rooms>;
  reload(): Promise<Rooms>;
}

const none = { types: [] } as const;
const filter: JsonObject = {
  presence: none,
  account_data: { types: ['m.direct'] },
  room: {
    ephemeral: none,
    account_data: none,
    timeline: { ...none, limit: 1 },
    state: {
      lazy_load_members: true,
      types: [
        'm.room.name',
        'm.room.canonical_alias',
        'm.room.create',
        'm.room.join_rules',
        'm.room.tombstone',
        'm.room.member',
        'm.space.child',
      ],
    },
  },
};

export function createRoomBook(session: Session): RoomBook {
  let loading: Promise<Rooms> | undefined;

  async function read(): Promise<Rooms> {
    const query = new URLSearchParams({
      filter: JSON.stringify(filter),
      timeout: '0',
      use_state_after: 'true',
      // Who looks at their settings is not thereby to be seen.
      set_presence: 'offline',
    });
    const answer = await session.ask({ path: `_matrix/client/v3/sync?${query.toString()}` });
    const joined = readRooms(answer).toSorted((one, other) => one.name.localeCompare(other.name));
    return {
      joined,
      byId: new Map(joined.map((room) => [room.id, room])),
      invitedNames: readInvitedNames(answer),
    };
  }

  function reload(): Promise<Rooms> {
    const reading = read();
    loading = reading;
    reading.catch(() => {
      if (loading === reading) loading = undefined;
    });
    return reading;
  }

  return { load: () => loading ?? reload(), reload };
}
