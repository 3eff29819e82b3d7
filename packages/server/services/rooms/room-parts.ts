import type { NewRooms } from './new-rooms.ts';
import type { ReadState } from './read-state.ts';
import type { Receiver } from './receiving/receiver.ts';
import type { RoomWriter } from './room-writer.ts';

/** What other services that change rooms are made of. */
export type RoomParts = {
  readonly receiver: Receiver;
  readonly writer: RoomWriter;
  readonly newRooms: NewRooms;
  readonly readState: ReadState;
  /** Throws for a room that this server does not know. */
  readonly resolve: (roomIdOrAlias: string) => Promise<{ readonly roomNid: number; readonly roomId: string }>;
};
