import type { RoomEvent } from '@portico/protocol';
import type { ChainAssignment } from '@portico/storage/chain-cover/index.ts';
import type { StateEdit } from '@portico/storage/state-trie/index.ts';
import type { NewEvent } from '@portico/storage/stores/events/events-write.ts';
import type { Redacts } from '@portico/storage/stores/events/pending-redactions.ts';
import type { MembershipChange } from '@portico/storage/stores/rooms/memberships-write.ts';
import type { Assessment } from '../unread/unread-service.ts';
import type { RoomHead, StateEvent } from './head.ts';

/** One event decided upon: what is to be stored, and where it leaves the room. */
export type Step = {
  readonly event: RoomEvent;
  readonly stored: NewEvent;
  /** The head after the event. Its version is that of the head before: it counts write sets. */
  readonly head: RoomHead;
  /** How it counts as unread; not at all if it has no place in the timeline. */
  readonly assessment: Assessment | undefined;
  /** What is another entry of the room's state now. */
  readonly entries: readonly EntryChange[];
  readonly memberships: readonly MembershipChange[];
  /** States made on the way. They must be settled, as must the place in the auth chains that a state event has. */
  readonly edits: readonly StateEdit[];
  readonly chain: ChainAssignment | undefined;
  /** What a redaction of another server names: kept in mind with it, so that no crash can lose what is still to be redacted. */
  readonly pendingRedaction?: Redacts | undefined;
};

export type EntryChange = {
  readonly type: string;
  readonly stateKey: string;
  readonly before: StateEvent | undefined;
  readonly after: StateEvent | undefined;
};
