import type { Placed, PlacedEvent, PlacedEvents } from './assign.ts';
import type { ChainLink } from './closure.ts';

/** What is decided but not yet committed, as one question sees it from its start to its end. */
export type PendingChains = {
  readonly links: ReadonlyMap<number, readonly ChainLink[]>;
  readonly events: readonly PlacedEvent[];
};

/**
 * The places of recent events, which chains this process may continue, and what is pending.
 *
 * A process continues only chains whose last event it has placed itself and still remembers; anything else starts a chain. So
 * two processes can never put two events at one place, at the price of some more chains after a restart.
 */
export interface PlacedMemory extends PlacedEvents {
  remember(eventNid: number, placed: Placed): void;
  addPending(roomNid: number, events: readonly PlacedEvent[]): void;
  settle(roomNid: number, events: readonly PlacedEvent[], committed: boolean): void;
  pending(roomNid: number): PendingChains;
}

export function createPlacedMemory(maxEvents: number): PlacedMemory {
  const recent = new Map<number, Placed>();
  const open = new Set<number>();
  const pending = new Map<number, Map<number, PlacedEvent>>();

  function remember(eventNid: number, placed: Placed): void {
    recent.delete(eventNid);
    recent.set(eventNid, placed);
    for (const oldest of recent.keys()) {
      if (recent.size <= maxEvents) break;
      recent.delete(oldest);
      open.delete(oldest);
    }
  }

  return {
    remember,
    // Not moved to the end: what everything names, a room's create event say, is read again once in `maxEvents`.
    get: (eventNid) => recent.get(eventNid),
    isOpen: (eventNid) => open.has(eventNid),
    addPending(roomNid, events) {
      const ofRoom = pending.get(roomNid) ?? new Map<number, PlacedEvent>();
      pending.set(roomNid, ofRoom);
      for (const event of events) {
        ofRoom.set(event.eventNid, event);
        remember(event.eventNid, { position: event.position, covers: event.covers });
        if (event.continues !== undefined) open.delete(event.continues);
        open.add(event.eventNid);
      }
    },
    settle(roomNid, events, committed) {
      const ofRoom = pending.get(roomNid);
      for (const { eventNid } of events) {
        ofRoom?.delete(eventNid);
        if (committed) continue;
        open.delete(eventNid);
        recent.delete(eventNid);
      }
      if (ofRoom?.size === 0) pending.delete(roomNid);
    },
    pending(roomNid) {
      const events = [...(pending.get(roomNid)?.values() ?? [])];
      return {
        events,
        links: Map.groupBy(
          events.flatMap((event) => event.links),
          (link) => link.origin.chain,
        ),
      };
    },
  };
}
