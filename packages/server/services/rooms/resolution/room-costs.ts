import { threadTime } from '../../thread-time.ts';

/** What resolving states costs, by room, in milliseconds of computing. */
export interface RoomCosts {
  /** Computes something for a room. What several compute at the same time counts as shared evenly among them. */
  during<T>(roomNid: number, work: () => Promise<T>): Promise<T>;
  /** What has been computed for a room since this was asked last. */
  take(roomNid: number): number;
  /** What has been computed for all rooms. */
  readonly total: number;
}

/** Rooms of which it is remembered: nobody asks about those that are only changed from here. */
const mostRooms = 1000;

export function createRoomCosts(clock: () => number = threadTime): RoomCosts {
  const costs = new Map<number, number>();
  let working = 0;
  /** What each that has been at work all the time would have computed. */
  let ofEach = 0;
  let last = clock();
  let total = 0;

  function advance(): void {
    const now = clock();
    if (working > 0) ofEach += (now - last) / working;
    last = now;
  }

  function add(roomNid: number, cost: number): void {
    total += cost;
    costs.set(roomNid, (costs.get(roomNid) ?? 0) + cost);
    if (costs.size > mostRooms) costs.delete(costs.keys().next().value ?? roomNid);
  }

  return {
    async during(roomNid, work) {
      advance();
      working++;
      const before = ofEach;
      try {
        return await work();
      } finally {
        advance();
        working--;
        add(roomNid, ofEach - before);
      }
    },
    take(roomNid) {
      const cost = costs.get(roomNid) ?? 0;
      costs.delete(roomNid);
      return cost;
    },
    get total() {
      return total;
    },
  };
}
