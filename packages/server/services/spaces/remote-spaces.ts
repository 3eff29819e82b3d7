import type { RoomSummaryFields } from '../directory/room-summary.ts';
import type { SpaceChild } from './space-children.ts';

/** A room as another server describes it. */
export type RemoteRoom = {
  readonly roomId: string;
  /** What people are shown of it. */
  readonly summary: RoomSummaryFields;
  readonly joinRule: string;
  readonly isKnockable: boolean;
  readonly worldReadable: boolean;
  readonly allowedRoomIds: readonly string[] | undefined;
  /** In their order; `undefined` where the server has not told them. */
  readonly children: readonly SpaceChild[] | undefined;
};

export type RemoteQuestion = { readonly roomId: string; readonly via: readonly string[] };

/** Rooms that this server is not in. */
export interface RemoteSpaces {
  /** Those of some rooms that other servers tell about, each with its children. */
  describe(rooms: readonly RemoteQuestion[]): Promise<ReadonlyMap<string, RemoteRoom>>;
}

/** Where this server talks to no others. */
export const noRemoteSpaces: RemoteSpaces = { describe: async () => new Map() };
