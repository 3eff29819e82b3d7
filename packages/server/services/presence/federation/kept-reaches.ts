import type { PeopleRooms } from '../people-rooms.ts';
import type { OpenReach, Reach, Reaches } from './reach.ts';

/** Where the presence of people may go, kept from one time that others are told to the next. */
export interface KeptReaches {
  /** Where somebody's presence may go as of now. */
  find(userId: string): Promise<OpenReach>;
  has(userId: string): boolean;
  /** Somebody of another server has come into a room of a person or left it: they are looked at when that is next asked for. */
  moved(person: string, other: string): void;
  forget(userId: string): void;
}

type Dependencies = { readonly reaches: Reaches; readonly rooms: Pick<PeopleRooms, 'hold' | 'release'> };

export function createKeptReaches({ reaches, rooms }: Dependencies): KeptReaches {
  const reachOf = new Map<string, Reach>();
  const movedAround = new Map<string, Set<string>>();

  return {
    async find(userId) {
      const moved = movedAround.get(userId) ?? new Set();
      movedAround.delete(userId);
      const before = reachOf.get(userId);
      const open = await reaches.find(userId, before, moved);
      // Whoever comes into their rooms concerns it as long as it is kept, also while they are offline.
      if (before === undefined) rooms.hold(userId);
      reachOf.set(userId, open.reach);
      return open;
    },
    has: (userId) => reachOf.has(userId),
    moved(person, other) {
      const others = movedAround.get(person);
      if (others === undefined) movedAround.set(person, new Set([other]));
      else others.add(other);
    },
    forget(userId) {
      if (reachOf.delete(userId)) rooms.release(userId);
      movedAround.delete(userId);
    },
  };
}
