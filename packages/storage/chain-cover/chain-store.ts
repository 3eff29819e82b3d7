import type { Reader, WriteSet } from '../database.ts';
import { place, type NewStateEvent, type PlacedEvent, type PlacedEvents } from './assign.ts';
import { differenceOf, reachingTo, reachOf, withoutReached } from './closure.ts';
import type { ChainPosition, ChainRange, Extent, LinkTable } from './closure.ts';
import { searchCommon, type CommonState } from './common-search.ts';
import { createLinkTable } from './link-table.ts';
import { createPlacedMemory, type PendingChains } from './placed-memory.ts';
import {
  insertEdges,
  insertLink,
  rangesPerQuery,
  selectPositions,
  selectRanges,
  type PositionRow,
} from './statements.ts';

/** New state events of one room with their places; `append` takes their rows, and the event's own row has the place. */
export type ChainAssignment = { readonly roomNid: number; readonly events: readonly PlacedEvent[] };

/**
 * The auth chains of state events, answered without walking them. Every state event has a place in a chain, in which each event
 * reaches all before it, and chains are tied by links; a question follows chains and links instead of events.
 */
export interface ChainStore {
  /** Places events, in an order in which each comes after its auth events, if the places of those are in memory. */
  assignNow(roomNid: number, events: readonly NewStateEvent[]): ChainAssignment | undefined;
  assign(roomNid: number, events: readonly NewStateEvent[]): Promise<ChainAssignment>;
  /** Adds links and edges. The columns `chain_id` and `chain_seq` belong to the row of the event. */
  append(set: WriteSet, assignment: ChainAssignment): void;
  /** Has to follow once the write set is committed or has failed. */
  settle(assignment: ChainAssignment, committed: boolean): void;

  /** Whether `other` is in the auth chain of `event`. */
  authChainContains(roomNid: number, event: number, other: number): Promise<boolean>;
  /**
   * "The auth difference is calculated by first calculating the full auth chain for each state Si, that is the union of the auth
   * chains for each event in Si, and then taking every event that doesn't appear in every auth chain."
   * https://spec.matrix.org/v1.19/rooms/v2/#definitions
   *
   * As other servers do it, a state's own events count as part of its full auth chain.
   *
   * With `common`, `sets` need only have what the states do not all agree on, and the cost follows that.
   */
  authDifference(roomNid: number, sets: readonly (readonly number[])[], common?: CommonState): Promise<number[]>;
  /**
   * The events on the ways, along auth events, from one of `events` to another one, themselves included.
   * https://spec.matrix.org/v1.19/rooms/v12/#state-resolution
   */
  conflictedSubgraph(roomNid: number, events: readonly number[]): Promise<number[]>;
}

type Options = {
  /** How many recent events' places are remembered. */
  readonly maxEvents: number;
  /** How many queries the search among common events may take before all of them are followed instead. */
  readonly maxSearchQueries?: number;
};

const nidsPerQuery = 1000;
const rangeQueriesAtOnce = 8;

export function createChainStore(reader: Reader, options: Options): ChainStore {
  const memory = createPlacedMemory(options.maxEvents);

  async function positionsOf(pending: PendingChains, nids: Iterable<number>): Promise<Map<number, ChainPosition>> {
    const waiting = new Map(pending.events.map((event) => [event.eventNid, event.position]));
    const positions = new Map<number, ChainPosition>();
    const missing: number[] = [];
    for (const nid of new Set(nids)) {
      const position = waiting.get(nid) ?? memory.get(nid)?.position;
      if (position === undefined) missing.push(nid);
      else positions.set(nid, position);
    }
    for (let start = 0; start < missing.length; start += nidsPerQuery) {
      const batch = missing.slice(start, start + nidsPerQuery);
      for (const row of await reader.all(selectPositions, [JSON.stringify(batch)])) {
        positions.set(row.event_nid, { chain: row.chain_id, seq: row.chain_seq });
      }
    }
    const unplaced = missing.find((nid) => !positions.has(nid));
    if (unplaced !== undefined) throw new Error(`event ${unplaced} has no place in the auth chains`);
    return positions;
  }

  async function rowsIn(pending: PendingChains, ranges: readonly ChainRange[], limit: number): Promise<PositionRow[]> {
    const rows: PositionRow[] = [];
    const wanted = Map.groupBy(ranges, (range) => range.chain);
    for (const { eventNid, position } of pending.events) {
      const isIn = wanted.get(position.chain)?.some(({ low, high }) => position.seq > low && position.seq <= high);
      if (isIn === true) rows.push({ event_nid: eventNid, chain_id: position.chain, chain_seq: position.seq });
    }
    const queries: number[][] = [];
    for (let start = 0; start < ranges.length; start += rangesPerQuery) {
      const params = ranges.slice(start, start + rangesPerQuery).flatMap(({ chain, low, high }) => [chain, low, high]);
      while (params.length < rangesPerQuery * 3) params.push(-1, 0, 0);
      queries.push([...params, limit]);
    }
    while (queries.length > 0) {
      const answers = queries.splice(0, rangeQueriesAtOnce).map((params) => reader.all(selectRanges, params));
      for (const found of await Promise.all(answers)) for (const row of found) rows.push(row);
    }
    return rows;
  }

  async function eventsIn(pending: PendingChains, ranges: readonly ChainRange[]): Promise<number[]> {
    const rows = await rowsIn(pending, ranges, Number.MAX_SAFE_INTEGER);
    return [...new Set(rows.map((row) => row.event_nid))];
  }

  /** What the events common to all states reach of `ranges`, by following chains and links from everything common. */
  async function reachOfAll(pending: PendingChains, table: LinkTable, common: CommonState): Promise<Extent> {
    const seeds: ChainPosition[] = [];
    for await (const nids of common.all()) {
      for (const position of (await positionsOf(pending, nids)).values()) seeds.push(position);
    }
    return reachOf(table, seeds, { strict: false });
  }

  function placeAll(
    roomNid: number,
    events: readonly NewStateEvent[],
    positions: ReadonlyMap<number, ChainPosition>,
  ): ChainAssignment | undefined {
    const made = new Map<number, PlacedEvent>();
    const continued = new Set<number>();
    const known: PlacedEvents = {
      get(nid) {
        const position = positions.get(nid);
        return made.get(nid) ?? memory.get(nid) ?? (position && { position, covers: [] });
      },
      isOpen: (nid) => !continued.has(nid) && (made.has(nid) || memory.isOpen(nid)),
    };
    for (const event of events) {
      const placed = place(event, known);
      if (placed === undefined) return undefined;
      made.set(event.eventNid, placed);
      if (placed.continues !== undefined) continued.add(placed.continues);
    }
    const assignment = { roomNid, events: [...made.values()] };
    memory.addPending(roomNid, assignment.events);
    return assignment;
  }

  return {
    assignNow: (roomNid, events) => placeAll(roomNid, events, new Map()),
    async assign(roomNid, events) {
      const own = new Set(events.map((event) => event.eventNid));
      const others = events.flatMap((event) => event.authEventNids).filter((nid) => !own.has(nid));
      const positions = await positionsOf(memory.pending(roomNid), others);
      for (const [nid, position] of positions) {
        if (memory.get(nid) === undefined) memory.remember(nid, { position, covers: [] });
      }
      const assignment = placeAll(roomNid, events, positions);
      if (assignment === undefined) throw new Error('events were given before their auth events');
      return assignment;
    },
    append(set, { roomNid, events }) {
      for (const { eventNid, authEventNids, links } of events) {
        set.add(insertEdges, [eventNid, JSON.stringify(authEventNids)]);
        for (const { origin, target } of links) {
          set.add(insertLink, [roomNid, origin.chain, origin.seq, target.chain, target.seq]);
        }
      }
    },
    settle: ({ roomNid, events }, committed) => memory.settle(roomNid, events, committed),

    async authChainContains(roomNid, event, other) {
      const pending = memory.pending(roomNid);
      const positions = await positionsOf(pending, [event, other]);
      const goal = positions.get(other)!;
      const table = createLinkTable(reader, roomNid, pending.links);
      const reach = await reachOf(table, [positions.get(event)!], { strict: true });
      return (reach.get(goal.chain) ?? 0) >= goal.seq;
    },
    async authDifference(roomNid, sets, common) {
      const pending = memory.pending(roomNid);
      const positions = await positionsOf(pending, sets.flat());
      const table = createLinkTable(reader, roomNid, pending.links);
      // At once: each of many sets would ask for its own.
      await table.load([...new Set([...positions.values()].map(({ chain }) => chain))]);
      const extents = [];
      for (const set of sets) {
        extents.push(
          await reachOf(
            table,
            set.map((nid) => positions.get(nid)!),
            { strict: false },
          ),
        );
      }
      const ranges = differenceOf(extents);
      if (common === undefined || ranges.length === 0) return eventsIn(pending, ranges);
      const rows = (wanted: readonly ChainRange[], limit: number) => rowsIn(pending, wanted, limit);
      const search = { reader, roomNid, pending, rows, common, maxQueries: options.maxSearchQueries ?? 64 };
      const reached = (await searchCommon(search, ranges)) ?? (await reachOfAll(pending, table, common));
      return eventsIn(pending, withoutReached(ranges, reached));
    },
    async conflictedSubgraph(roomNid, events) {
      const pending = memory.pending(roomNid);
      const goals = [...(await positionsOf(pending, events)).values()];
      const table = createLinkTable(reader, roomNid, pending.links);
      const reach = await reachOf(table, goals, { strict: false });
      const ranges: ChainRange[] = [];
      for (const [chain, first] of reachingTo(table, reach, goals)) {
        const high = reach.get(chain) ?? 0;
        if (first <= high) ranges.push({ chain, low: first - 1, high });
      }
      return eventsIn(pending, ranges);
    },
  };
}
