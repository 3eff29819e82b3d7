import type { RoomEvent } from '@portico/protocol';
import type { ChainAssignment } from '@portico/storage/chain-cover/index.ts';
import type { StateEdit } from '@portico/storage/state-trie/index.ts';
import type { NewEvent } from '@portico/storage/stores/events-write.ts';
import type { MembershipChange } from '@portico/storage/stores/memberships-write.ts';
import type { Assessment } from '../unread/unread-service.ts';
import type { RoomHead } from './head.ts';

/** One event decided upon: what is to be stored, and where it leaves the room. */
export type Step = {
  readonly event: RoomEvent;
  readonly stored: NewEvent;
  /** The head after the event. Its version is that of the head before: it counts write sets. */
  readonly head: RoomHead;
  /** How it counts as unread. */
  readonly assessment: Assessment;
  /** Of a membership event. */
  readonly membership?: MembershipChange | undefined;
  /** Of a state event: the state after it, and its place in the auth chains. Both must be settled. */
  readonly placed?: { readonly edit: StateEdit; readonly chain: ChainAssignment };
};
