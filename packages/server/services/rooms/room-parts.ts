import type { JsonObject } from '@portico/protocol';
import type { ImportDependencies } from './importing/import-dependencies.ts';
import type { JoinedRoom } from './importing/join-imported.ts';
import type { RemoteMembership } from './importing/remote-invite.ts';
import type { NewRooms } from './new-rooms.ts';
import type { ReadState } from './read-state.ts';
import type { Merger } from './receiving/merge.ts';
import type { Receiver } from './receiving/receiver.ts';
import type { ReferenceHashes } from './reference-hashes.ts';
import type { RoomWriter } from './room-writer.ts';

/** What other services that change rooms are made of. */
export type RoomParts = {
  readonly receiver: Receiver;
  /** An event with the signature of the room's policy server, where it has one. Throws `MatrixError` where that refuses. */
  readonly signByPolicy: (roomNid: number, pdu: JsonObject) => Promise<JsonObject>;
  readonly merger: Merger;
  readonly importing: ImportDependencies;
  /** Makes a room that somebody joined through another server one of this server's. */
  readonly joinImported: (joined: JoinedRoom) => Promise<number>;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly references: ReferenceHashes;
  readonly writer: RoomWriter;
  readonly newRooms: NewRooms;
  readonly readState: ReadState;
  /** A room's ID, and servers that may be in it where that is not known here. */
  readonly locate: (roomIdOrAlias: string) => Promise<{ readonly roomId: string; readonly servers: readonly string[] }>;
  /** Throws for a room that this server does not know. */
  readonly resolve: (roomIdOrAlias: string) => Promise<{ readonly roomNid: number; readonly roomId: string }>;
};
