import type { Range, RoomConfig, SlidingList, Wishes } from './request.ts';
import { combineRequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import type { Candidate } from './candidate.ts';
import type { RoomTest } from './room-filter.ts';

/** A room that is wanted, by which lists, and how much of it. */
export type WantedRoom = {
  readonly room: Candidate;
  readonly lists: readonly string[];
  readonly isSubscribed: boolean;
  readonly config: RoomConfig;
};

export type Wanted = {
  /** The most active first. */
  readonly rooms: readonly WantedRoom[];
  /** Those that pass any list's filters, or are subscribed to, whether or not they are in a window. */
  readonly matched: ReadonlySet<Candidate>;
  /** How many rooms each list has. */
  readonly counts: ReadonlyMap<string, number>;
};

/** "A room is returned in the response if […] the room matches at least one of the rules in the request." */
export async function chooseRooms(
  { lists, subscriptions }: Wishes,
  candidates: readonly Candidate[],
  testOf: (list: SlidingList) => Promise<RoomTest>,
): Promise<Wanted> {
  const sorted = candidates.toSorted((a, b) => b.activity - a.activity);
  const counts = new Map<string, number>();
  const names = new Map<Candidate, string[]>();
  const matched = new Set<Candidate>();
  for (const [name, list] of lists) {
    const passes = await testOf(list);
    const rooms = sorted.filter(passes);
    for (const room of rooms) matched.add(room);
    counts.set(name, rooms.filter((room) => !room.isLast).length);
    for (const room of window(rooms, list.ranges)) {
      const ofRoom = names.get(room);
      if (ofRoom === undefined) names.set(room, [name]);
      else if (ofRoom.at(-1) !== name) ofRoom.push(name);
    }
  }
  const configs = createConfigs(lists);
  const rooms: WantedRoom[] = [];
  for (const room of sorted) {
    const ofRoom = names.get(room) ?? [];
    const subscription = subscriptions.get(room.id);
    if (subscription !== undefined) matched.add(room);
    const config = configs(ofRoom, subscription);
    if (config !== undefined) rooms.push({ room, lists: ofRoom, isSubscribed: subscription !== undefined, config });
  }
  return { rooms, matched, counts };
}

function* window(rooms: readonly Candidate[], ranges: readonly Range[] | undefined): Generator<Candidate> {
  if (ranges === undefined) {
    yield* rooms;
    return;
  }
  // Ranges may overlap: each is cut off where the one before it has ended.
  let next = 0;
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const end = Math.min(last + 1, rooms.length);
    for (let index = Math.max(first, next); index < end; index++) {
      const room = rooms[index];
      if (room !== undefined) yield room;
    }
    next = Math.max(next, end);
  }
}

/** Combines the configs of all rules that a room matches, once for the same rules. */
function createConfigs(lists: ReadonlyMap<string, SlidingList>) {
  const known = new Map<string, RoomConfig>();
  return (names: readonly string[], subscription: RoomConfig | undefined): RoomConfig | undefined => {
    const [only] = names;
    if (only === undefined) return subscription;
    let config = known.get(names.join('\0'));
    if (config === undefined) {
      for (const name of names) config = combined(config, lists.get(name));
      if (config !== undefined) known.set(names.join('\0'), config);
    }
    return combined(config, subscription);
  };
}

/** "Take the maximum timeline limit across all room configs", and "the union of the required state fields". */
function combined(a: RoomConfig | undefined, b: RoomConfig | undefined): RoomConfig | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return { limit: Math.max(a.limit, b.limit), state: combineRequiredState(a.state, b.state) };
}
