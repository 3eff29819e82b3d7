import type { JsonObject } from '@portico/protocol';
import type { IntendedEvent } from './check-sendable.ts';
import type { CreateRoomRequest } from './create-room.ts';

/** Who asks: a person and the device they use. */
export type Actor = {
  readonly userId: string;
  readonly deviceId: string;
  readonly isAdmin?: boolean;
  readonly standing?: 'locked' | 'suspended';
  /** The application service that acts as this person. */
  readonly appService?: { readonly id: string };
};

export type JoinOptions = {
  readonly reason: string | undefined;
  readonly via: readonly string[];
  /** Further content of the member event. */
  readonly extra?: JsonObject;
};

export type SendOptions = {
  /** Instead of the time now. Milliseconds. */
  readonly originServerTs?: number | undefined;
  /** For how long the event is to be sticky. Milliseconds. */
  readonly stickyMs?: number | undefined;
};

/** What people do to rooms. Everything here refuses with a `MatrixError`. */
export interface RoomService {
  /**
   * Creates a room and returns its ID. A refused invitation is thrown once everybody else has been invited, by
   * `inviteFurther` too.
   */
  create(actor: Actor, request: CreateRoomRequest, inviteFurther?: (roomId: string) => Promise<void>): Promise<string>;
  invite(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  /** Joins a room by its ID or an alias, and returns its ID. */
  join(actor: Actor, roomIdOrAlias: string, options: JoinOptions): Promise<string>;
  /** Asks to be let into a room, and returns its ID. */
  knock(actor: Actor, roomIdOrAlias: string, options: JoinOptions): Promise<string>;
  leave(actor: Actor, roomId: string, reason: string | undefined): Promise<void>;
  /** Makes the server forget that a person was in a room that they have left. */
  forget(actor: Actor, roomId: string): Promise<void>;
  kick(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  ban(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  unban(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  /** Sends a message event and returns its ID. */
  send(
    actor: Actor,
    roomId: string,
    type: string,
    txnId: string,
    content: JsonObject,
    options?: SendOptions,
  ): Promise<string>;
  /** Refuses an event that nobody could send into the room, for what it is. */
  checkSendable(
    actor: Pick<Actor, 'userId'>,
    roomId: string,
    event: Pick<IntendedEvent, 'type' | 'stateKey' | 'content'>,
  ): Promise<void>;
  /** Sets an entry of the room's state, once for a transaction if it is one, and returns the event's ID. */
  setState(
    actor: Actor,
    roomId: string,
    type: string,
    stateKey: string,
    content: JsonObject,
    options?: SendOptions,
    txnId?: string,
  ): Promise<string>;
  /** Redacts an event, and in time what relates to it by one of some types, and returns the redaction's ID. */
  redact(
    actor: Actor,
    roomId: string,
    eventId: string,
    txnId: string,
    request: SendOptions & {
      /** Of the redaction, without what it redacts. */
      readonly content: JsonObject;
      readonly relTypes?: readonly string[] | undefined;
    },
  ): Promise<string>;
}
