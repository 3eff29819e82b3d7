import type { RoomEvent, RoomVersionRules } from '@portico/protocol';
import type { StateRoot } from '@portico/storage/state-trie/index.ts';

/** A state event with the number that storage knows it by. */
export type StateEvent = { readonly nid: number; readonly event: RoomEvent };

/** A forward extremity: an event that nothing follows, the server of its sender, and the state after it. */
export type Extremity = { readonly eventId: string; readonly server: string; readonly state: StateRoot };

/**
 * Where a room stands after everything decided so far, committed or not. Immutable: a decision makes the next one. With
 * the state behind `state` and the events it names, it is all that a decision reads.
 */
export type RoomHead = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly rules: RoomVersionRules;
  readonly createEventNid: number;
  readonly version: number;
  /** Which load from the database this head descends from: a failed commit spoils all that descends from the same. */
  readonly lineage: number;
  /** The newest events that nothing follows; several where branches have not been merged. */
  readonly extremities: readonly Extremity[];
  /** The resolution of the states after all extremities. */
  readonly state: StateRoot;
  /** In how much these states differed when they were last resolved. */
  readonly differing: number;
  readonly maxDepth: number;
  readonly lastEventNid: number;
  /** How many events of the room, outside its threads, have counted as unread under the default rules. */
  readonly ordinal: number;
  readonly joinedCount: number;
  readonly invitedCount: number;
  /** Whether the room had what counts as activity in the write set that led here. */
  readonly isActivity: boolean;
  /** What has been looked up in `state` so far, by `stateCacheKey`, `undefined` for what it does not have: a cache, so it may be added to. */
  readonly known: Map<string, StateEvent | undefined>;
};

export function stateCacheKey(type: string, stateKey: string): string {
  return `${type}\0${stateKey}`;
}

/** An entry of a head's state. Throws if nobody looked it up: "not known" must never pass for "not there". */
export function getKnown(head: RoomHead, type: string, stateKey: string): StateEvent | undefined {
  const key = stateCacheKey(type, stateKey);
  const event = head.known.get(key);
  if (event === undefined && !head.known.has(key)) throw new Error(`the state's ${type} was not looked up`);
  return event;
}
