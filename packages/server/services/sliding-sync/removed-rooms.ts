import type { Database } from '@portico/storage';
import { readLastEndsOfJoins } from '@portico/storage/stores/rooms/memberships-read.ts';
import { readRemovals, type DepartedRoomRow } from '@portico/storage/stores/rooms/removed-rooms.ts';
import { forgottenKind, type OnlineUser } from '../sync/online-index.ts';

/** The rooms from which people were removed by others, while they are online. */
export interface RemovedRooms {
  of(user: OnlineUser): Promise<ReadonlyMap<number, DepartedRoomRow>>;
}

type Known = { readonly at: number; readonly rooms: Promise<ReadonlyMap<number, DepartedRoomRow>> };

/** Of the rooms that somebody left last, in whichever way. */
const maxRooms = 500;

/**
 * > Rooms the user has been kicked or banned from will always be included […]. Note that rooms the user has been banned
 * > from, but never joined, should not be part of the list.
 */
export function createRemovedRooms(db: Database): RemovedRooms {
  const known = new WeakMap<OnlineUser, Known>();

  async function read(userId: string): Promise<ReadonlyMap<number, DepartedRoomRow>> {
    const rows = await readRemovals(db, userId, maxRooms);
    if (rows.length === 0) return new Map();
    const ends = await readLastEndsOfJoins(db, userId);
    return new Map(rows.filter((row) => ends.has(row.room_nid)).map((row) => [row.room_nid, row]));
  }

  return {
    async of(user) {
      const at = Math.max(user.membershipPosition, user.streams.get(forgottenKind) ?? 0);
      const before = known.get(user);
      if (before?.at === at) return before.rooms;
      const rooms = read(user.userId);
      known.set(user, { at, rooms });
      rooms.catch(() => known.delete(user));
      return rooms;
    },
  };
}
