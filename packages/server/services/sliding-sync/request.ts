import type { RequiredState } from '@portico/protocol/sliding-sync/required-state.ts';

/** How much of a room is wanted. */
export type RoomConfig = { readonly limit: number; readonly state: RequiredState };

/** A missing field lets every room pass. */
export type SlidingFilters = {
  readonly isDm?: boolean | undefined;
  readonly spaces?: readonly string[] | undefined;
  readonly isEncrypted?: boolean | undefined;
  readonly isInvite?: boolean | undefined;
  /** `null` is for rooms without a type. */
  readonly roomTypes?: readonly (string | null)[] | undefined;
  readonly notRoomTypes?: readonly (string | null)[] | undefined;
  readonly nameLike?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly notTags?: readonly string[] | undefined;
};

/** Both ends belong to it. */
export type Range = readonly [first: number, last: number];

export type SlidingList = RoomConfig & {
  /** The whole list if absent. */
  readonly ranges: readonly Range[] | undefined;
  readonly filters: SlidingFilters;
};

/** The lists and subscriptions whose rooms an extension is for; all of them if absent. */
export type Scope = {
  readonly lists: ReadonlySet<string> | undefined;
  readonly rooms: ReadonlySet<string> | undefined;
};

/** Which extensions are enabled. */
export type SlidingExtensions = {
  readonly toDevice: { readonly since: string | undefined; readonly limit: number | undefined } | undefined;
  readonly e2ee: boolean;
  readonly accountData: Scope | undefined;
  readonly receipts: Scope | undefined;
  readonly threadSubscriptions: { readonly limit: number | undefined } | undefined;
  readonly typing: Scope | undefined;
  readonly sticky: { readonly since: string | undefined; readonly limit: number | undefined } | undefined;
};

export type Wishes = {
  readonly lists: ReadonlyMap<string, SlidingList>;
  readonly subscriptions: ReadonlyMap<string, RoomConfig>;
};

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4186} */
export type SlidingRequest = {
  readonly userId: string;
  readonly deviceId: string;
  readonly connId: string;
  readonly pos: string | undefined;
  /** How long to wait for something to happen, in milliseconds. */
  readonly timeout: number;
  /** Which rooms are wanted: worked out only if there may be something to tell. */
  readonly wishes: () => Wishes;
  readonly extensions: SlidingExtensions;
  /** The same text for requests that ask for the same. */
  readonly shape: string;
  /** Aborted when nobody waits any more. Asked for only where somebody may have to. */
  readonly signal: AbortSignal;
};
