import type { RoomVersionRules } from '@portico/protocol';
import type { CommonState } from '@portico/storage/chain-cover/index.ts';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { StateEvents } from '../state-events.ts';

/** The entries of a state that are not in conflict, which every other state of the resolution has as well. */
export function commonState(
  { states, stateEvents }: { readonly states: StateStore; readonly stateEvents: StateEvents },
  rules: RoomVersionRules,
  root: StateRoot,
  conflicted: ReadonlySet<number>,
): CommonState {
  return {
    async among(eventNids) {
      const candidates = [...(await stateEvents.load(rules, eventNids)).values()].filter(
        ({ nid }) => !conflicted.has(nid),
      );
      const keys = candidates.map(({ event }) => [event.type, event.stateKey ?? ''] as const);
      const current = await states.getMany(root, keys).run();
      return new Set(candidates.filter(({ nid }, index) => current[index] === nid).map(({ nid }) => nid));
    },
    async *all() {
      for await (const page of states.events(root)) yield page.filter((nid) => !conflicted.has(nid));
    },
  };
}
