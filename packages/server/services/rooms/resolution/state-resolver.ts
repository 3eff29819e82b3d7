import {
  type MainlinePositions,
  type Need,
  type ResolutionInput,
  resolveConflictsInSteps,
  type RoomVersionRules,
  type StateKeyPair,
} from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { ChainStore } from '@portico/storage/chain-cover/index.ts';
import type { Difference, StateChange, StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { inSteps } from '../../in-steps.ts';
import { createPacer } from '../../pacer.ts';
import { type StateEvent, stateCacheKey } from '../head.ts';
import type { StateEvents } from '../state-events.ts';
import { commonState } from './common-state.ts';
import { type Conflicts, conflictsBetween, type EventsByNid, getEvent, keysOfDifferences } from './find-conflicts.ts';
import { readMainline } from './read-mainline.ts';
import type { RoomCosts } from './room-costs.ts';

export type ResolverDependencies = {
  readonly db: Database;
  readonly states: StateStore;
  readonly chains: ChainStore;
  readonly stateEvents: StateEvents;
  readonly costs: Pick<RoomCosts, 'during'>;
};

export type RoomOfStates = { readonly roomNid: number; readonly rules: RoomVersionRules };

/** Resolves the states that a room has on several branches. */
export interface StateResolver {
  /**
   * What has to be changed in `base` to make it the resolution of all of `roots`.
   *
   * {@link https://spec.matrix.org/v1.19/server-server-api/#room-state-resolution}
   */
  resolve(room: RoomOfStates, roots: readonly StateRoot[], base: StateRoot): Promise<Resolved>;
}

export type Resolved = {
  readonly changes: readonly StateChange[];
  /** In how many entries the states differ from one in the middle, all together except the few that differ most. */
  readonly differing: number;
};

type Pace = ReturnType<typeof createPacer>;

/** Entries of a state that are read at once: each is looked for by a hash. */
const keysAtOnce = 500;

/** More power levels than these are looked for where that holds nobody up. */
const manyBases = 20;

export function createStateResolver(deps: ResolverDependencies): StateResolver {
  // One for all: whoever makes many forks has many small resolutions done, one after the other.
  const pace = createPacer();
  async function resolve(room: RoomOfStates, roots: readonly StateRoot[], base: StateRoot): Promise<Resolved> {
    const [first, ...others] = amidst(roots);
    if (first === undefined) throw new Error('there is no state to resolve');
    await pace();
    const found = await findConflicts(deps, room, first, others, pace);
    const { differing } = found;
    if (found.conflicts.length === 0) return { changes: await changesIn(deps, room, base, first, [], pace), differing };
    const conflicted = new Set(found.conflicts.map(({ type, stateKey }) => stateCacheKey(type, stateKey)));
    const isConflicted = (type: string, stateKey: string): boolean => conflicted.has(stateCacheKey(type, stateKey));
    const known = createKnown(deps, room, first, isConflicted, pace);
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
        const changes = resolution.entries.map(({ type, stateKey, eventId }) => ({
          type,
          stateKey,
          event: eventId === undefined ? undefined : known.nidOf(eventId),
        }));
        return { changes: await changesIn(deps, room, base, first, changes, pace), differing };
      }
      await known.answer(resolution);
    }
  }
  return { resolve: (room, roots, base) => deps.costs.during(room.roomNid, () => resolve(room, roots, base)) };
}

/**
 * With one in the middle first, which the others are compared with. Where one branch has changed much since many others forked off, these
 * are all much the same, and each of them would differ from that one in all of it.
 */
function amidst(roots: readonly StateRoot[]): readonly StateRoot[] {
  const bySize = roots.toSorted((a, b) => a.count - b.count);
  const middle = bySize[Math.floor(bySize.length / 2)];
  return middle === undefined ? [] : [middle, ...roots.filter((root) => root !== middle)];
}

type Found = Conflicts & { readonly events: EventsByNid };

async function findConflicts(
  { states, stateEvents }: ResolverDependencies,
  { rules }: RoomOfStates,
  first: StateRoot,
  others: readonly StateRoot[],
  pace: Pace,
): Promise<Found> {
  const differences: (readonly Difference[])[] = [];
  for (const other of others) {
    differences.push(await states.diff(first, other).run());
    await pace();
  }
  const events = await loadDiffering(stateEvents, rules, differences.flat());
  const keys = await inSteps(keysOfDifferences(events, differences));
  const firsts = await readMany(states, first, keys.pairs, pace);
  return { ...(await inSteps(conflictsBetween(events, keys, firsts, differences))), events };
}

/** Entries of a state, however many. */
async function readMany(
  states: StateStore,
  root: StateRoot,
  keys: readonly StateKeyPair[],
  pace: Pace,
): Promise<readonly (number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (let start = 0; start < keys.length; start += keysAtOnce) {
    found.push(...(await states.getMany(root, keys.slice(start, start + keysAtOnce)).run()));
    await pace();
  }
  return found;
}

function loadDiffering(
  stateEvents: StateEvents,
  rules: RoomVersionRules,
  differences: readonly Difference[],
): Promise<EventsByNid> {
  const nids = new Set(differences.flatMap(({ before, after }) => [before, after]).filter((nid) => nid !== undefined));
  return stateEvents.load(rules, [...nids]);
}

/** Changes of one state, as those of another one that come to the same. */
async function changesIn(
  { states, stateEvents }: ResolverDependencies,
  { rules }: RoomOfStates,
  base: StateRoot,
  first: StateRoot,
  changes: readonly StateChange[],
  pace: Pace,
): Promise<readonly StateChange[]> {
  if (base.contentHash === first.contentHash) return changes;
  const differences = await states.diff(base, first).run();
  await pace();
  const events = await loadDiffering(stateEvents, rules, differences);
  const wanted = new Map<string, StateChange>();
  for (const { before, after } of differences) {
    const { type, stateKey = '' } = getEvent(events, before ?? after ?? 0);
    wanted.set(stateCacheKey(type, stateKey), { type, stateKey, event: after });
  }
  for (const change of changes) wanted.set(stateCacheKey(change.type, change.stateKey), change);
  const all = [...wanted.values()];
  await pace();
  const keys = all.map(({ type, stateKey }) => [type, stateKey] as const);
  const present = await readMany(states, base, keys, pace);
  return all.filter(({ event }, index) => event !== present[index]);
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
  pace: Pace,
) {
  const byId = new Map<string, StateEvent | null>();
  const byNid = new Map<number, StateEvent>();
  const unconflicted = new Map<string, string | null>();
  const mainlines = new Map<string, MainlinePositions>();

  function add(event: StateEvent): void {
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
    const nids = await readMany(states, first, keys, pace);
    await loadNids(nids.filter((nid) => nid !== undefined));
    for (const [index, [type, stateKey]] of keys.entries()) {
      const nid = isConflicted(type, stateKey) ? undefined : nids[index];
      unconflicted.set(stateCacheKey(type, stateKey), nid === undefined ? null : getEvent(byNid, nid).eventId);
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
    idsOf: (nids: readonly number[]): string[] => nids.map((nid) => getEvent(byNid, nid).eventId),
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
