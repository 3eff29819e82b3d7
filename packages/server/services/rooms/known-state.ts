import type { StateKeyPair } from '@portico/protocol';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { type RoomHead, type StateEvent, stateCacheKey } from './head.ts';
import type { StateEvents } from './state-events.ts';
import type { EntryChange } from './steps.ts';

/** Entries of a head's state that are looked up for decisions, kept with the head as long as the state stays the same. */
export interface KnownState {
  /** Makes `keys` known from memory; answers whether that was enough. */
  knowNow(head: RoomHead, keys: readonly StateKeyPair[]): boolean;
  know(head: RoomHead, keys: readonly StateKeyPair[]): Promise<void>;
}

export function createKnownState(states: StateStore, events: StateEvents): KnownState {
  function unknown(head: RoomHead, keys: readonly StateKeyPair[]): readonly StateKeyPair[] {
    return keys.filter(([type, stateKey]) => !head.known.has(stateCacheKey(type, stateKey)));
  }

  function remember(head: RoomHead, [type, stateKey]: StateKeyPair, event: StateEvent | undefined): void {
    head.known.set(stateCacheKey(type, stateKey), event);
  }

  return {
    knowNow(head, keys) {
      const missing = unknown(head, keys);
      if (missing.length === 0) return true;
      const nids = states.getMany(head.state, missing).now()?.value;
      if (nids === undefined) return false;
      let complete = true;
      for (const [index, key] of missing.entries()) {
        const nid = nids[index];
        const event = nid === undefined ? undefined : events.find(nid);
        if (nid !== undefined && event === undefined) complete = false;
        else remember(head, key, event);
      }
      return complete;
    },
    async know(head, keys) {
      const missing = unknown(head, keys);
      const nids = await states.getMany(head.state, missing).run();
      const found = await events.load(
        head.rules,
        nids.filter((nid) => nid !== undefined),
      );
      for (const [index, key] of missing.entries()) {
        const nid = nids[index];
        const event = nid === undefined ? undefined : found.get(nid);
        if (nid !== undefined && event === undefined) throw new Error(`state event ${nid} does not exist`);
        remember(head, key, event);
      }
    },
  };
}

/** What is known of a state after `event` became its entry. */
export function knownAfter(known: RoomHead['known'], event: StateEvent): RoomHead['known'] {
  const after = new Map(known);
  after.set(stateCacheKey(event.event.type, event.event.stateKey ?? ''), event);
  return after;
}

/** What is known of a state after changes that may be anywhere in it. */
export function knownAfterChanges(known: RoomHead['known'], entries: readonly EntryChange[]): RoomHead['known'] {
  if (entries.length === 0) return known;
  const after = new Map(known);
  for (const entry of entries) after.set(stateCacheKey(entry.type, entry.stateKey), entry.after);
  return after;
}

/** Beyond this many a head starts over: what decisions ask for most is soon known again. */
const maxKnown = 256;

export function trimKnown(head: RoomHead): RoomHead {
  return head.known.size <= maxKnown ? head : { ...head, known: new Map() };
}
