import type { Database } from '@portico/storage';
import {
  audienceChange,
  everyRoom,
  readCustomMembers,
  readUserRules as readUserRulesRow,
} from '@portico/storage/stores/unread/custom-rules.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import { buildAudience, type RoomAudience } from './audience.ts';
import { readUserRules, type UserRules } from './member-rules.ts';

/** Audiences of rooms and rules of people, kept in memory until they change. */
export interface Audiences {
  ofRoom(roomNid: number): RoomAudience | undefined;
  loadRoom(roomNid: number, roomId: string): Promise<void>;
  ofUser(userId: string): UserRules | undefined;
  loadUser(userId: string): Promise<void>;
  close(): void;
}

const maxRooms = 10_000;
const maxUsers = 5_000;

export function createAudiences(db: Database): Audiences {
  let rooms = createSmallCache<number, RoomAudience>(maxRooms);
  const users = createSmallCache<string, UserRules>(maxUsers);
  // Counts changes, so that a load which they overtook is not kept.
  let generation = 0;

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind === audienceChange) {
          generation += 1;
          if (key === everyRoom) rooms = createSmallCache(maxRooms);
          else rooms.delete(Number(key));
        } else if ((kind === 'account_data' || kind === 'pushers') && users.get(String(key)) !== undefined) {
          generation += 1;
          users.delete(String(key));
        }
      }
    }
  });

  /** Reads until nothing changed meanwhile; gives up keeping it, not reading it, if changes never pause. */
  async function load<T>(read: () => Promise<T>, keep: (value: T) => void): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = generation;
      const value = await read();
      if (before === generation || attempt === 4) return keep(value);
    }
  }

  return {
    ofRoom: (roomNid) => rooms.get(roomNid),
    loadRoom(roomNid, roomId) {
      return load(
        async () => buildAudience(roomId, await readCustomMembers(db, roomNid)),
        (audience) => rooms.set(roomNid, audience),
      );
    },
    ofUser: (userId) => users.get(userId),
    loadUser(userId) {
      return load(
        async () => {
          return readUserRules(await readUserRulesRow(db, userId), userId);
        },
        (rules) => users.set(userId, rules),
      );
    },
    close: stop,
  };
}
