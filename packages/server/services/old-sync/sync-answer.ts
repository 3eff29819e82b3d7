import type { ClientEvent } from './answers.ts';

type Events = { readonly events?: readonly ClientEvent[] };

export type SyncedRoom = {
  readonly state?: Events;
  readonly timeline?: Events & { readonly prev_batch?: string };
  readonly ephemeral?: Events;
  readonly account_data?: Events;
};

/** What of an answer of `/sync` the endpoints before it have a place for. */
export type SyncAnswer = {
  readonly next_batch: string;
  readonly presence?: Events;
  readonly account_data?: Events;
  readonly rooms?: {
    readonly join?: Readonly<Record<string, SyncedRoom>>;
    readonly leave?: Readonly<Record<string, SyncedRoom>>;
    readonly invite?: Readonly<Record<string, { readonly invite_state?: Events }>>;
    readonly knock?: Readonly<Record<string, { readonly knock_state?: Events }>>;
  };
};

export function eventsOf(part: Events | undefined): readonly ClientEvent[] {
  return part?.events ?? [];
}

/** Events that say which room they are of: `/sync` says so around them. */
export function inRoom(roomId: string, part: Events | undefined): readonly ClientEvent[] {
  return eventsOf(part).map((event) => ({ ...event, room_id: roomId }));
}

/** The user's own membership among the stripped state of an invitation or a knock. */
export function ownMembership(userId: string, roomId: string, part: Events | undefined): readonly ClientEvent[] {
  return inRoom(roomId, part).filter(({ type, state_key: key }) => type === 'm.room.member' && key === userId);
}
