import type { JsonObject, ServerName } from '@portico/protocol';

/** A join or a knock. */
export type RemoteJoin = {
  readonly userId: string;
  readonly roomId: string;
  /** Servers that may be in the room. */
  readonly via: readonly string[];
  readonly content: JsonObject;
};

/** A join of which this server does not know whether others have taken it. */
export type UncertainJoin = Pick<RemoteJoin, 'userId' | 'roomId' | 'content'> & {
  /** The servers that were asked, with the ID of the event they were sent. */
  readonly asked: readonly (readonly [server: ServerName, eventId: string])[];
  /** The content with which the person leaves again; `undefined` if they are to come in. */
  readonly leaveWith: JsonObject | undefined;
};

/** A leave that no other server could be told of, and those that could have taken it. */
export type UntoldLeave = { readonly roomId: string; readonly servers: readonly ServerName[] };

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
  /** Whether all is known of it by now, and done about it. */
  settleJoin(join: UncertainJoin): Promise<boolean>;
  knock(request: RemoteJoin): Promise<void>;
  /** Declines an invitation, or withdraws a knock. `untold` is called before it is recorded, if nobody could be reached. */
  leave(
    userId: string,
    roomId: string,
    content: JsonObject,
    untold?: (leave: UntoldLeave) => Promise<void>,
  ): Promise<void>;
  /** Tells other servers what is recorded here already; whether there is no more to be done about it. */
  tellLeave(leave: UntoldLeave & { readonly userId: string; readonly content: JsonObject }): Promise<boolean>;
  /** Invites a person of another server, which is asked before the invitation becomes part of the room; gives its event ID. */
  invite(request: RemoteInvite): Promise<string>;
  resolveAlias(alias: string): Promise<{ readonly roomId: string; readonly servers: readonly string[] }>;
}
