import {
  type MainlinePositions,
  type Need,
  type ResolutionInput,
  resolveConflictsInSteps,
  type RoomVersionRules,
  type StateConflict,
} from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateChange, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { inSteps } from '../../in-steps.ts';
import { createPacer } from '../../pacer.ts';
import { stateCacheKey } from '../head.ts';
import type { StateEvents } from '../state-events.ts';
import { commonState } from './common-state.ts';
import { readMainline } from './read-mainline.ts';

export type ResolverDependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly stateEvents: StateEvents;
};

export type RoomOfStates = { readonly roomNid: number; readonly rules: RoomVersionRules };

/** Resolves the states that a room has on several branches. */
export interface StateResolver {
  /**
   * What has to be changed in the first of `roots` to make it the resolution of them all.
   *
   * {@link https://spec.matrix.org/v1.19/server-server-api/#room-state-resolution}
   */
  resolve(room: RoomOfStates, roots: readonly StateRoot[]): Promise<readonly StateChange[]>;
}

/** More power levels than these are looked for where that holds nobody up. */
const manyBases = 20;

export function createStateResolver(deps: ResolverDependencies): StateResolver {
  // One for all: whoever makes many forks has many small resolutions done, one after the other.
  const pace = createPacer();
  return {
    async resolve(room, roots) {
      const [first, ...others] = roots;
      if (first === undefined || others.length === 0) return [];
      await pace();
      const found = await findConflicts(deps, room, first, others);
      if (found.conflicts.length === 0) return [];
      const conflicted = new Set(found.conflicts.map(({ type, stateKey }) => stateCacheKey(type, stateKey)));
      const isConflicted = (type: string, stateKey: string): boolean => conflicted.has(stateCacheKey(type, stateKey));
      const known = createKnown(deps, room, first, isConflicted);
      for (const event of found.events.values()) known.add(event);
      const [authDifference, conflictedSubgraph] = await Promise.all([
        differenceOf(deps, room, first, found),
        subgraphOf(deps, room, found),
      ]);
      await pace();
      await known.loadNids([...authDifference, ...conflictedSubgraph]);
      const input: ResolutionInput = {
        conflicts: found.conflicts,
        unconflicted: known.unconflicted,
        event: known.event,
        mainlinePositions: known.mainlinePositions,
        authDifference: known.idsOf(authDifference),
        conflictedSubgraph: known.idsOf(conflictedSubgraph),
      };
      for (;;) {
        const resolution = await inSteps(resolveConflictsInSteps(room.rules, input));
        if (resolution.kind === 'resolved') {
          return resolution.entries.map(({ type, stateKey, eventId }) => ({
            type,
            stateKey,
            event: eventId === undefined ? undefined : known.nidOf(eventId),
          }));
        }
        await known.answer(resolution);
      }
    },
  };
}

type Conflicts = {
  readonly conflicts: readonly StateConflict[];
  readonly events: ReadonlyMap<number, StateEventOf>;
  /** What each state has under the conflicted keys. */
  readonly sets: readonly (readonly number[])[];
};
type StateEventOf = Awaited<ReturnType<StateEvents['load']>> extends ReadonlyMap<number, infer E> ? E : never;

async function findConflicts(
  { states, stateEvents }: ResolverDependencies,
  { rules }: RoomOfStates,
  first: StateRoot,
  others: readonly StateRoot[],
): Promise<Conflicts> {
  const differences = (await Promise.all(others.map((other) => states.diff(first, other).run()))).flat();
  const nids = new Set(differences.flatMap(({ before, after }) => [before, after]).filter((nid) => nid !== undefined));
  const events = await stateEvents.load(rules, [...nids]);
  const keys = new Map<string, readonly [string, string]>();
  for (const { event } of events.values()) {
    const key = [event.type, event.stateKey ?? ''] as const;
    keys.set(stateCacheKey(...key), key);
  }
  const pairs = [...keys.values()];
  const sets = await Promise.all([first, ...others].map((root) => states.getMany(root, pairs).run()));
  return {
    events,
    sets: sets.map((set) => set.filter((nid) => nid !== undefined)),
    conflicts: pairs.map(([type, stateKey], index) => {
      const entries = new Set(sets.map((set) => set[index]));
      const eventIds = [...entries].flatMap((nid) => (nid === undefined ? [] : [eventIdOf(events, nid)]));
      return { type, stateKey, eventIds, missingInSome: entries.has(undefined) };
    }),
  };
}

function eventIdOf(events: ReadonlyMap<number, StateEventOf>, nid: number): string {
  const found = events.get(nid);
  if (found === undefined) throw new Error(`state event ${nid} does not exist`);
  return found.event.eventId;
}

async function differenceOf(
  deps: ResolverDependencies,
  { roomNid, rules }: RoomOfStates,
  first: StateRoot,
  { sets }: Conflicts,
): Promise<readonly number[]> {
  if (rules.stateResolution === 'v1') return [];
  return deps.chains.authDifference(roomNid, sets, commonState(deps, rules, first, new Set(sets.flat())));
}

async function subgraphOf(
  { chains }: ResolverDependencies,
  { roomNid, rules }: RoomOfStates,
  { sets }: Conflicts,
): Promise<readonly number[]> {
  if (rules.stateResolution !== 'v2.1') return [];
  return chains.conflictedSubgraph(roomNid, [...new Set(sets.flat())]);
}

/** What a resolution has asked for so far. */
function createKnown(
  { db, states, stateEvents }: ResolverDependencies,
  { rules }: RoomOfStates,
  first: StateRoot,
  isConflicted: (type: string, stateKey: string) => boolean,
) {
  const byId = new Map<string, StateEventOf | null>();
  const byNid = new Map<number, StateEventOf>();
  const unconflicted = new Map<string, string | null>();
  const mainlines = new Map<string, MainlinePositions>();

  function add(event: StateEventOf): void {
    byId.set(event.event.eventId, event);
    byNid.set(event.nid, event);
  }

  async function loadNids(nids: readonly number[]): Promise<void> {
    for (const event of (await stateEvents.load(rules, nids)).values()) add(event);
  }

  async function loadIds(eventIds: readonly string[]): Promise<void> {
    const missing = eventIds.filter((eventId) => !byId.has(eventId));
    if (missing.length === 0) return;
    const found = await stateEvents.loadById(rules, missing);
    for (const eventId of missing) {
      const event = found.get(eventId);
      if (event === undefined) byId.set(eventId, null);
      else add(event);
    }
  }

  async function loadUnconflicted(keys: readonly (readonly [string, string])[]): Promise<void> {
    const nids = await states.getMany(first, keys).run();
    await loadNids(nids.filter((nid) => nid !== undefined));
    for (const [index, [type, stateKey]] of keys.entries()) {
      const nid = isConflicted(type, stateKey) ? undefined : nids[index];
      unconflicted.set(stateCacheKey(type, stateKey), nid === undefined ? null : eventIdOf(byNid, nid));
    }
  }

  function nidOf(eventId: string): number {
    const event = byId.get(eventId);
    if (event === undefined || event === null) throw new Error(`${eventId} was not loaded`);
    return event.nid;
  }

  async function loadMainline({ powerLevels, bases }: NonNullable<Need['mainline']>): Promise<void> {
    const loaded = { find: (eventId: string) => byId.get(eventId)?.event, nidOf };
    const reader = bases.length > manyBases ? db.long : db;
    mainlines.set(powerLevels, await readMainline(reader, loaded, powerLevels, bases));
  }

  return {
    add,
    loadNids,
    idsOf: (nids: readonly number[]): string[] => nids.map((nid) => eventIdOf(byNid, nid)),
    nidOf,
    event: (eventId: string) => {
      const found = byId.get(eventId);
      return found === undefined || found === null ? found : found.event;
    },
    unconflicted: (type: string, stateKey: string) => unconflicted.get(stateCacheKey(type, stateKey)),
    mainlinePositions: (powerLevels: string) => mainlines.get(powerLevels),
    async answer(need: Need): Promise<void> {
      await Promise.all([
        loadIds(need.events),
        need.unconflicted.length === 0 ? undefined : loadUnconflicted(need.unconflicted),
        need.mainline === undefined ? undefined : loadMainline(need.mainline),
      ]);
    },
  };
}
