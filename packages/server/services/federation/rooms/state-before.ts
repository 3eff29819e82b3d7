import type { RoomEvent, RoomVersionRules } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readPdus } from '@portico/storage/stores/events/timeline.ts';
import type { StateEvents } from '../../rooms/state-events.ts';
import type { HideErasedProfiles } from './erased-profiles.ts';

type Dependencies = {
  readonly db: Reader;
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly hideErased: HideErasedProfiles;
};

/** Events as text, with their IDs. */
export type StatePdus = {
  readonly state: ReadonlyMap<number, string>;
  readonly stateIds: readonly string[];
  readonly authChain: readonly string[];
  /** In the same order. */
  readonly authChainIds: readonly string[];
};

export type StateWanted = {
  /** Of the members only these; without it all of the state. */
  readonly wanted?: { readonly members: readonly string[] } | undefined;
  /** Further events whose auth chain is wanted. */
  readonly and?: readonly string[];
};

/** A room's state, and the auth chain of its events. */
export async function readStatePdus(
  deps: Dependencies,
  rules: RoomVersionRules,
  rootId: number,
  { wanted, and = [] }: StateWanted = {},
): Promise<StatePdus> {
  const { db, stateEvents, hideErased } = deps;
  const state = new Map<number, string>();
  const named = new Set<string>();
  const stateIds = new Set<string>();
  for (const { event } of (await stateEvents.loadById(rules, and)).values()) {
    for (const eventId of event.authEvents) named.add(eventId);
  }
  for await (const nids of stateNids(deps, rootId, wanted)) {
    const events = await stateEvents.load(rules, nids);
    const pdus = await hideErased(rules, events.values(), await readPdus(db, nids));
    for (const [nid, pdu] of pdus) state.set(nid, pdu);
    for (const { event } of events.values()) {
      stateIds.add(event.eventId);
      for (const eventId of event.authEvents) named.add(eventId);
    }
  }
  const chain = await readAuthChain(deps, rules, named);
  return { state, stateIds: [...stateIds], ...chain };
}

async function* stateNids(
  { states }: Dependencies,
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

/** Events, those by which they are allowed, and so on: each once. A query for each step of the way. */
export async function readAuthChain(
  { db, stateEvents, hideErased }: Pick<Dependencies, 'db' | 'stateEvents' | 'hideErased'>,
  rules: RoomVersionRules,
  first: Iterable<string>,
): Promise<Pick<StatePdus, 'authChain' | 'authChainIds'>> {
  const found = new Map<string, { readonly nid: number; readonly event: RoomEvent }>();
  let next = [...first];
  while (next.length > 0) {
    const following = new Set<string>();
    for (const [eventId, { nid, event }] of await stateEvents.loadById(rules, next)) {
      found.set(eventId, { nid, event });
      for (const authEvent of event.authEvents) following.add(authEvent);
    }
    next = [...following].filter((eventId) => !found.has(eventId));
  }
  const nids = Array.from(found.values(), ({ nid }) => nid);
  const pdus = await hideErased(rules, found.values(), await readPdus(db, nids));
  const chain = [...found].filter(([, { nid }]) => pdus.has(nid));
  return {
    authChain: chain.map(([, { nid }]) => pdus.get(nid) ?? ''),
    authChainIds: chain.map(([eventId]) => eventId),
  };
}
