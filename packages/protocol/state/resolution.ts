import type { StateKeyPair } from '../auth/auth-event-keys.ts';
import type { RoomEvent } from '../events/pdu.ts';

/**
 * What resolving states needs to know. Cost follows what differs between the states: of what they agree on, only the few
 * entries are asked for that the rules look at.
 */
export type ResolutionInput = {
  /** Every key under which the states are not all the same, a key that some of them lack included. */
  readonly conflicts: readonly StateConflict[];
  /** The event under a key that is not among the conflicts: `null` if no state has it, `undefined` if not looked up yet. */
  readonly unconflicted: (type: string, stateKey: string) => string | null | undefined;
  /** An event by its ID: `null` if there is none, `undefined` if not loaded yet. */
  readonly event: (eventId: string) => RoomEvent | null | undefined;
  /**
   * Where power levels stand in the mainline of others, as `mainlinePositions` finds it: those without a position are left out.
   * `undefined` if not looked up yet. Asked as a whole, since storage finds it without walking the mainline.
   */
  readonly mainlinePositions: (powerLevels: string, bases: readonly string[]) => MainlinePositions | undefined;
  /** The auth difference of the states, which storage computes. Not used by version 1 of the algorithm. */
  readonly authDifference: Iterable<string>;
  /** The conflicted state subgraph, which storage computes. Used by version 2.1 of the algorithm alone. */
  readonly conflictedSubgraph: Iterable<string>;
};

export type MainlinePositions = ReadonlyMap<string, number>;

export type StateConflict = {
  readonly type: string;
  readonly stateKey: string;
  /** What the states have under this key, each event once. */
  readonly eventIds: readonly string[];
  /** Whether a state has nothing under this key. */
  readonly missingInSome: boolean;
};

export type Resolution = Resolved | Need;

export type Resolved = {
  readonly kind: 'resolved';
  /**
   * What replaces the conflicts: an entry for each of them, and for any other key that the states lack but the resolution
   * brings back. The rest of the state is what the states agree on.
   */
  readonly entries: readonly ResolvedEntry[];
};

export type ResolvedEntry = {
  readonly type: string;
  readonly stateKey: string;
  /** `undefined` if the resolved state has nothing under this key. */
  readonly eventId: string | undefined;
};

/** Call again with the same input when these can be answered. */
export type Need = {
  readonly kind: 'need';
  readonly events: readonly string[];
  readonly unconflicted: readonly StateKeyPair[];
  readonly mainline: { readonly powerLevels: string; readonly bases: readonly string[] } | undefined;
};
