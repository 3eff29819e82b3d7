import type { RoomVersionRules } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { readPdus } from '@portico/storage/stores/timeline.ts';
import type { StateEvents } from '../../rooms/state-events.ts';

type Dependencies = { readonly db: Reader; readonly states: StateStore; readonly stateEvents: StateEvents };

/** Events as text, with their IDs. */
export type StatePdus = {
  readonly state: ReadonlyMap<number, string>;
  readonly stateIds: readonly string[];
  readonly authChain: readonly string[];
  readonly authChainIds: readonly string[];
};

/** A room's state, and the auth chain of its events. */
export async function readStatePdus(deps: Dependencies, rules: RoomVersionRules, rootId: number): Promise<StatePdus> {
  const { db, states, stateEvents } = deps;
  const root = await states.root(rootId).run();
  const state = new Map<number, string>();
  const named = new Set<string>();
  const stateIds = new Set<string>();
  for await (const nids of states.events(root)) {
    for (const [nid, pdu] of await readPdus(db, nids)) state.set(nid, pdu);
    for (const { event } of (await stateEvents.load(rules, nids)).values()) {
      stateIds.add(event.eventId);
      for (const eventId of event.authEvents) named.add(eventId);
    }
  }
  const chain = await readAuthChain(deps, rules, named);
  return { state, stateIds: [...stateIds], ...chain };
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
  return { authChain: [...pdus.values()], authChainIds: [...found.keys()] };
}
