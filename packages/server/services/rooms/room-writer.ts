import type { StateKeyPair } from '@portico/protocol';
import type { PositionParam, WriteSet } from '@portico/storage';
import type { Draft } from './draft.ts';
import type { RoomHead, StateEvent } from './head.ts';

/** A room as a plan sees it: the head, and as much of its state as the plan said it needs. */
export type RoomView = {
  readonly head: RoomHead;
  readonly state: (type: string, stateKey: string) => StateEvent | undefined;
};

/**
 * What somebody wants to happen in a room. It may be made more than once, each time on a newer head, so it has no effects
 * of its own.
 */
export type Plan = {
  /** The entries of the state that `drafts` looks at. */
  readonly needs: readonly StateKeyPair[];
  /** The events to add, in order; none if nothing is left to do. Throws a `MatrixError` to refuse. */
  drafts(view: RoomView): readonly Draft[];
  /**
   * The events enter without the signature of the room's policy server where that refuses them, or also where it does not answer.
   * Only for what nobody is to be kept from: other servers take such an event for one that the policy server does not want.
   */
  readonly goesUnsigned?: 'if-refused' | 'if-not-signed';
  /** Adds further writes to the same commit. */
  alongside?(set: WriteSet, appended: Appended, position: PositionParam): void;
};

export type AppendedEvent = { readonly eventNid: number; readonly eventId: string };
export type Appended = { readonly roomNid: number; readonly events: readonly AppendedEvent[] };

/** The one way in which events of this server's people enter rooms. */
export interface RoomWriter {
  /**
   * Carries out a plan. Resolves once the events are committed. Rejects with a `MatrixError` if the room's rules, or the
   * plan itself, refuse; with a `StorageError` if nothing could be written.
   */
  append(roomNid: number, plan: Plan): Promise<Appended>;
}
