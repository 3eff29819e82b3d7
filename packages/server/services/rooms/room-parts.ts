import type { JsonObject } from '@portico/protocol';
import type { IntendedEvent } from './check-sendable.ts';
import type { ImportDependencies } from './importing/import-dependencies.ts';
import type { JoinedRoom } from './importing/join-imported.ts';
import type { RemoteMembership } from './importing/remote-invite.ts';
import type { NewRooms } from './new-rooms.ts';
import type { ReadState } from './read-state.ts';
import type { Merger } from './receiving/merge.ts';
import type { Receiver } from './receiving/receiver.ts';
import type { ReferenceHashes } from './reference-hashes.ts';
import type { RemoteRooms } from './remote-rooms.ts';
import type { RoomCosts } from './resolution/room-costs.ts';
import type { RoomWriter } from './room-writer.ts';

/** What decides events and adds them to rooms. */
export type RoomCore = {
  readonly receiver: Receiver;
  /** An event with the signature of the room's policy server, where it has one. Throws `MatrixError` where that refuses. */
  readonly signByPolicy: (roomNid: number, pdu: JsonObject) => Promise<JsonObject>;
  /** Throws what sending an event would throw for being what it is. */
  readonly refuseUnsendable: (roomNid: number, event: IntendedEvent) => Promise<void>;
  readonly merger: Merger;
  readonly costs: RoomCosts;
  readonly importing: ImportDependencies;
  /** Makes a room that somebody joined through another server one of this server's. */
  readonly joinImported: (joined: JoinedRoom) => Promise<number>;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly references: ReferenceHashes;
  readonly writer: RoomWriter;
  readonly newRooms: NewRooms;
  readonly readState: ReadState;
};

export type FindRooms = {
  /** A person who asks about a room that does not exist learns no more than that they are not in it. */
  readonly nidOf: (roomId: string) => Promise<number>;
  /** A room's ID, and servers that may be in it where that is not known here. */
  readonly locate: (roomIdOrAlias: string) => Promise<{ readonly roomId: string; readonly servers: readonly string[] }>;
  /** Throws for a room that this server does not know. */
  readonly resolve: (roomIdOrAlias: string) => Promise<{ readonly roomNid: number; readonly roomId: string }>;
  /** Other servers, if the room is to be reached by way of them. */
  readonly awayFor: (roomId: string) => Promise<RemoteRooms | undefined>;
};

/** What other services that change rooms are made of. */
export type RoomParts = RoomCore & Pick<FindRooms, 'locate' | 'resolve'>;
