import type { Database } from '@portico/storage';
import { readLastEndsOfJoins } from '@portico/storage/stores/memberships-read.ts';
import { readRemovals, type DepartedRoomRow } from '@portico/storage/stores/removed-rooms.ts';
import type { OnlineUser } from '../sync/online-index.ts';

/** The rooms from which people were removed by others, while they are online. */
export interface RemovedRooms {
  of(user: OnlineUser): Promise<ReadonlyMap<number, DepartedRoomRow>>;
  close(): void;
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
  const forgetful = new Map<string, number>();
  const stop = db.onChanges((batches) => {
    for (const { position, changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== 'forgotten' || typeof key !== 'string') continue;
        if (forgetful.size >= maxForgetful) forgetful.clear();
        forgetful.set(key.slice(key.indexOf(' ') + 1), position);
      }
    }
  });

  async function read(userId: string): Promise<ReadonlyMap<number, DepartedRoomRow>> {
    const rows = await readRemovals(db, userId, maxRooms);
    if (rows.length === 0) return new Map();
    const ends = await readLastEndsOfJoins(db, userId);
    return new Map(rows.filter((row) => ends.has(row.room_nid)).map((row) => [row.room_nid, row]));
  }

  return {
    async of(user) {
      const at = Math.max(user.membershipPosition, forgetful.get(user.userId) ?? 0);
      const before = known.get(user);
      if (before?.at === at) return before.rooms;
      const rooms = read(user.userId);
      known.set(user, { at, rooms });
      rooms.catch(() => known.delete(user));
      return rooms;
    },
    close: stop,
  };
}

const maxForgetful = 10_000;
