import type { Reader } from '@portico/storage';
import { findRoomNid } from '@portico/storage/stores/rooms/rooms.ts';
import { createSmallCache } from './small-cache.ts';

/** Storage's numbers of rooms, which never change. */
export interface RoomNames {
  find(roomId: string): Promise<number | undefined>;
}

const maxRooms = 20_000;

export function createRoomNames(db: Reader): RoomNames {
  const cache = createSmallCache<string, number>(maxRooms);
  return {
    async find(roomId) {
      const known = cache.get(roomId);
      if (known !== undefined) return known;
      const found = await findRoomNid(db, roomId);
      if (found !== undefined) cache.set(roomId, found);
      return found;
    },
  };
}
