import { allAuthEvents, type RoomVersionRules } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readPdus } from '@portico/storage/stores/events/timeline.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { HideErasedProfiles } from './erased-profiles.ts';

export type StateReading = {
  readonly db: Reader;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly hideErased: HideErasedProfiles;
  /** Shared, so that many who ask at once have their turns one after the other. */
  readonly pace: () => Promise<void> | undefined;
};

type ChainReading = Pick<StateReading, 'db' | 'stateEvents' | 'hideErased' | 'pace'>;

export type StateWanted = {
  /** What the list of the state's events is called. */
  readonly name: 'pdus' | 'state';
  /** Of the members only these; without it all of the state. */
  readonly wanted?: { readonly members: readonly string[] } | undefined;
  /** Further events whose auth chain is wanted. */
  readonly and?: readonly string[];
};

/** Events that are read at once: as much is in memory for everybody who waits for more. */
const pageSize = 100;

/**
 * A room's state, and the auth chain of its events, as members of a JSON object: of a part of the state the chain is without what
 * is in that. It may have many megabytes, and whoever asks may be slow to read: nothing but the numbers of events is kept.
 */
export async function* statePieces(
  deps: StateReading,
  rules: RoomVersionRules,
  rootId: number,
  { name, wanted, and = [] }: StateWanted,
): AsyncGenerator<string> {
  const { stateEvents, pace } = deps;
  const named = new Set<string>();
  const left = new Set<string>();
  await pace();
  for (const { event } of (await stateEvents.loadById(rules, and)).values()) {
    for (const eventId of allAuthEvents(rules, event)) named.add(eventId);
  }
  yield `"${name}":[`;
  let separator = '';
  for await (const nids of pagesOf(stateNids(deps, rootId, wanted))) {
    await pace();
    const events = await stateEvents.load(rules, nids);
    const pdus = await readShownPdus(deps, rules, nids, events);
    for (const { event } of events.values()) {
      if (wanted !== undefined) left.add(event.eventId);
      for (const eventId of allAuthEvents(rules, event)) named.add(eventId);
    }
    if (pdus.length > 0) yield `${separator}${pdus.join(',')}`;
    if (pdus.length > 0) separator = ',';
  }
  yield '],';
  const chain = await walkAuthChain(deps, rules, named);
  for (const eventId of left) chain.delete(eventId);
  yield* chainPieces(deps, rules, chain);
}

/** The IDs of the same. */
export async function readStateIds(
  deps: StateReading,
  rules: RoomVersionRules,
  rootId: number,
): Promise<{ readonly state: readonly string[]; readonly authChain: readonly string[] }> {
  const state: string[] = [];
  const named = new Set<string>();
  for await (const nids of stateNids(deps, rootId, undefined)) {
    for (const { event } of (await deps.stateEvents.load(rules, nids)).values()) {
      state.push(event.eventId);
      for (const eventId of allAuthEvents(rules, event)) named.add(eventId);
    }
    await deps.pace();
  }
  return { state, authChain: [...(await walkAuthChain(deps, rules, named)).keys()] };
}

/** The events by which others are allowed, as a member of a JSON object. */
export async function* authChainPieces(
  deps: ChainReading,
  rules: RoomVersionRules,
  first: Iterable<string>,
): AsyncGenerator<string> {
  yield* chainPieces(deps, rules, await walkAuthChain(deps, rules, first));
}

async function* chainPieces(
  deps: ChainReading,
  rules: RoomVersionRules,
  chain: ReadonlyMap<string, number>,
): AsyncGenerator<string> {
  const nids = [...chain.values()];
  yield '"auth_chain":[';
  for (let start = 0; start < nids.length; start += pageSize) {
    await deps.pace();
    const page = nids.slice(start, start + pageSize);
    const pdus = await readShownPdus(deps, rules, page, await deps.stateEvents.load(rules, page));
    yield `${start === 0 ? '' : ','}${pdus.join(',')}`;
  }
  yield ']';
}

async function readShownPdus(
  { db, hideErased }: Pick<StateReading, 'db' | 'hideErased'>,
  rules: RoomVersionRules,
  nids: readonly number[],
  events: Awaited<ReturnType<StateEvents['load']>>,
): Promise<readonly string[]> {
  return [...(await hideErased(rules, events.values(), await readPdus(db, nids))).values()];
}

async function* pagesOf(lists: AsyncIterable<readonly number[]>): AsyncGenerator<readonly number[]> {
  for await (const nids of lists) {
    for (let start = 0; start < nids.length; start += pageSize) yield nids.slice(start, start + pageSize);
  }
}

async function* stateNids(
  { states }: StateReading,
  rootId: number,
  wanted: StateWanted['wanted'],
): AsyncGenerator<readonly number[]> {
  const root = await states.root(rootId).run();
  yield* states.events(root, wanted && { except: 'm.room.member' });
  if (wanted === undefined) return;
  const keys = wanted.members.map((userId) => ['m.room.member', userId] as const);
  const nids = await states.getMany(root, keys).run();
  yield nids.filter((nid) => nid !== undefined);
}

/** Events, those by which they are allowed, and so on, each once, with their numbers. A query for each step of the way. */
async function walkAuthChain(
  { stateEvents, pace }: Pick<StateReading, 'stateEvents' | 'pace'>,
  rules: RoomVersionRules,
  first: Iterable<string>,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  let next = [...first];
  while (next.length > 0) {
    const following = new Set<string>();
    for (const [eventId, { nid, event }] of await stateEvents.loadById(rules, next)) {
      found.set(eventId, nid);
      for (const authEvent of allAuthEvents(rules, event)) following.add(authEvent);
    }
    next = [...following].filter((eventId) => !found.has(eventId));
    await pace();
  }
  return found;
}
