import type { RoomVersionRules } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readPdus } from '@portico/storage/stores/events/timeline.ts';
import type { StateEvents } from '../../rooms/state-events.ts';

type Dependencies = { readonly db: Reader; readonly states: StateStore; readonly stateEvents: StateEvents };

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
  const { db, stateEvents } = deps;
  const state = new Map<number, string>();
  const named = new Set<string>();
  const stateIds = new Set<string>();
  for (const { event } of (await stateEvents.loadById(rules, and)).values()) {
    for (const eventId of event.authEvents) named.add(eventId);
  }
  for await (const nids of stateNids(deps, rootId, wanted)) {
    for (const [nid, pdu] of await readPdus(db, nids)) state.set(nid, pdu);
    for (const { event } of (await stateEvents.load(rules, nids)).values()) {
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
  { db, stateEvents }: Pick<Dependencies, 'db' | 'stateEvents'>,
  rules: RoomVersionRules,
  first: Iterable<string>,
): Promise<Pick<StatePdus, 'authChain' | 'authChainIds'>> {
  const found = new Map<string, number>();
  let next = [...first];
  while (next.length > 0) {
    const following = new Set<string>();
    for (const [eventId, { nid, event }] of await stateEvents.loadById(rules, next)) {
      found.set(eventId, nid);
      for (const authEvent of event.authEvents) following.add(authEvent);
    }
    next = [...following].filter((eventId) => !found.has(eventId));
  }
  const pdus = await readPdus(db, [...found.values()]);
  const chain = [...found].filter(([, nid]) => pdus.has(nid));
  return { authChain: chain.map(([, nid]) => pdus.get(nid) ?? ''), authChainIds: chain.map(([eventId]) => eventId) };
}
