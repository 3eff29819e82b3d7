import type { Reader } from '@portico/storage';
import { readStateRootsAt, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { createSmallCache } from '../reading/small-cache.ts';

/** A place in a room's order. */
export type RoomPlace = { readonly nid: number; readonly place: number };

/** The roots of rooms' states at stream positions, where they never change. */
export interface StateRoots {
  /** In the order of the places; 0, the empty state, where a room had no events yet. */
  at(reader: Reader, places: readonly RoomPlace[]): Promise<readonly number[]>;
  /** For who follows a room, the end of one answer is where the next one begins. */
  remember(place: RoomPlace, root: number): void;
}

const maxRemembered = 10_000;

export function createStateRoots(): StateRoots {
  const known = createSmallCache<string, number>(maxRemembered);
  const keyOf = ({ nid, place }: RoomPlace) => `${nid} ${place}`;
  return {
    async at(reader, places) {
      const missing = places.filter((place) => known.get(keyOf(place)) === undefined);
      const read = await readStateRootsAt(
        reader,
        missing.map(({ nid, place }) => [nid, place]),
      );
      return places.map((place) => known.get(keyOf(place)) ?? read.get(place.nid) ?? 0);
    },
    remember: (place, root) => known.set(keyOf(place), root),
  };
}

/** The room's own state once the event was in it; 0 for an event whose state is not known. */
export function rootAfter({ head_state, state_after, state_before }: ClientEventRow): number {
  return head_state ?? state_after ?? state_before ?? 0;
}

/** Whether each event was the room's only newest one, so that nothing but these events made it what it became. */
export function isStraight(rows: readonly ClientEventRow[], rootBefore: number | null | undefined): boolean {
  let root = rootBefore;
  for (const row of rows) {
    if (row.head_state !== null || row.state_before === null || row.state_before !== root) return false;
    root = row.state_after ?? row.state_before;
  }
  return true;
}
