import type { JsonObject } from '@portico/protocol';

/** A join or a knock. */
export type RemoteJoin = {
  readonly userId: string;
  readonly roomId: string;
  /** Servers that may be in the room. */
  readonly via: readonly string[];
  readonly content: JsonObject;
};

export type RemoteInvite = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly sender: string;
  readonly userId: string;
  readonly content: JsonObject;
};

/** What is done in rooms that this server is not in, by way of servers that are. Everything refuses with a `MatrixError`. */
export interface RemoteRooms {
  /** Whether a room is to be reached by way of other servers. */
  isAway(roomId: string): Promise<boolean>;
  /** `again`: somebody else of this server has joined meanwhile, or failed to. */
  join(request: RemoteJoin): Promise<'joined' | 'again'>;
  /** Joins a room that this server is in, and into which only others can let the person; `false` if there are none. */
  joinAdmitted(request: RemoteJoin): Promise<boolean>;
  knock(request: RemoteJoin): Promise<void>;
  /** Declines an invitation, or withdraws a knock. */
  leave(userId: string, roomId: string, content: JsonObject): Promise<void>;
  /** Invites a person of another server, which is asked before the invitation becomes part of the room; gives its event ID. */
  invite(request: RemoteInvite): Promise<string>;
  resolveAlias(alias: string): Promise<{ readonly roomId: string; readonly servers: readonly string[] }>;
}
