import type { Database } from '@portico/storage';
import { movedMemberOf } from '@portico/storage/stores/rooms/moved-member.ts';
import { readRoomsOfPeople } from '@portico/storage/stores/presence/presence.ts';

export type RoomsOfPerson = ReadonlyMap<number, string>;

/**
 * The rooms of everyone who is online, and of those who are asked about: by number, with their IDs. Follows every change
 * of memberships that this process has seen.
 */
export interface PeopleRooms {
  /** `undefined` until they are loaded, and after a change until they are loaded again. */
  known(userId: string): RoomsOfPerson | undefined;
  load(userIds: Iterable<string>): Promise<void>;
  /** Keeps somebody's rooms in mind until they are released as often. */
  hold(userId: string): void;
  release(userId: string): void;
  /** Those who are held and, as far as is known, in a room. */
  heldIn(roomNid: number): ReadonlySet<string>;
  close(): void;
}

type Person = { rooms: RoomsOfPerson; isFresh: boolean; changes: number; holds: number };

const nobody: ReadonlySet<string> = new Set();
const none: RoomsOfPerson = new Map();
/** People who are not held and still in mind. */
const maxLoose = 2000;
const perQuery = 100;

export function createPeopleRooms(db: Database): PeopleRooms {
  const people = new Map<string, Person>();
  const byRoom = new Map<number, Set<string>>();
  const loose = new Set<string>();
  const loading = new Map<string, Promise<void>>();

  function personOf(userId: string): Person {
    let person = people.get(userId);
    if (person === undefined) {
      person = { rooms: none, isFresh: false, changes: 0, holds: 0 };
      people.set(userId, person);
      loosen(userId);
    }
    return person;
  }

  function loosen(userId: string): void {
    loose.add(userId);
    for (const oldest of loose) {
      if (loose.size <= maxLoose) break;
      loose.delete(oldest);
      people.delete(oldest);
    }
  }

  function index(userId: string, before: RoomsOfPerson, after: RoomsOfPerson): void {
    for (const roomNid of before.keys()) {
      if (after.has(roomNid)) continue;
      const members = byRoom.get(roomNid);
      members?.delete(userId);
      if (members?.size === 0) byRoom.delete(roomNid);
    }
    for (const roomNid of after.keys()) {
      const members = byRoom.get(roomNid);
      if (members === undefined) byRoom.set(roomNid, new Set([userId]));
      else members.add(userId);
    }
  }

  async function read(userIds: readonly string[]): Promise<void> {
    const before = new Map(userIds.map((userId) => [userId, personOf(userId).changes]));
    const rooms = new Map<string, Map<number, string>>();
    for (const row of await readRoomsOfPeople(db, userIds)) {
      const ofPerson = rooms.get(row.user_id);
      if (ofPerson === undefined) rooms.set(row.user_id, new Map([[row.room_nid, row.room_id]]));
      else ofPerson.set(row.room_nid, row.room_id);
    }
    for (const userId of userIds) {
      const person = personOf(userId);
      const now = rooms.get(userId) ?? none;
      if (person.holds > 0) index(userId, person.rooms, now);
      person.rooms = now;
      // What changed meanwhile may not be in what was read.
      person.isFresh = person.changes === before.get(userId);
    }
  }

  function readOnce(userIds: readonly string[]): Promise<void> {
    const reading = read(userIds).finally(() => {
      for (const userId of userIds) if (loading.get(userId) === reading) loading.delete(userId);
    });
    for (const userId of userIds) loading.set(userId, reading);
    return reading;
  }

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const change of changes) {
        const moved = movedMemberOf(change);
        const person = moved && people.get(moved.userId);
        if (person === undefined) continue;
        person.isFresh = false;
        person.changes += 1;
      }
    }
  });

  return {
    known(userId) {
      const person = people.get(userId);
      return person?.isFresh === true ? person.rooms : undefined;
    },
    async load(userIds) {
      let stale = [...new Set(userIds)];
      for (;;) {
        stale = stale.filter((userId) => people.get(userId)?.isFresh !== true);
        if (stale.length === 0) return;
        const underWay = new Set(stale.map((userId) => loading.get(userId)));
        const missing = stale.filter((userId) => !loading.has(userId)).slice(0, perQuery);
        await Promise.all([...underWay, ...(missing.length > 0 ? [readOnce(missing)] : [])]);
      }
    },
    hold(userId) {
      const person = personOf(userId);
      loose.delete(userId);
      person.holds += 1;
      if (person.holds === 1) index(userId, none, person.rooms);
    },
    release(userId) {
      const person = people.get(userId);
      if (person === undefined || person.holds === 0) return;
      person.holds -= 1;
      if (person.holds > 0) return;
      index(userId, person.rooms, none);
      loosen(userId);
    },
    heldIn: (roomNid) => byRoom.get(roomNid) ?? nobody,
    close: stop,
  };
}

/** Rooms that both are in. */
export function* sharedRooms(one: RoomsOfPerson, other: RoomsOfPerson): Generator<string, void, void> {
  const [small, large] = one.size <= other.size ? [one, other] : [other, one];
  for (const [roomNid, roomId] of small) if (large.has(roomNid)) yield roomId;
}

export function shareRoom(one: RoomsOfPerson, other: RoomsOfPerson): boolean {
  return sharedRooms(one, other).next().done !== true;
}
