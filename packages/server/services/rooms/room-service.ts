import type { EventSigner, JsonObject } from '@portico/protocol';
import { isRoomAlias, isUserId } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { createChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { findRoomOfAlias } from '@portico/storage/stores/room-aliases.ts';
import { findRoomNid } from '@portico/storage/stores/rooms.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { createRoom, type CreateRoomRequest } from './create-room.ts';
import { createStepCommitter } from './commit-steps.ts';
import { createRoomHeads } from './heads.ts';
import { createKnownState } from './known-state.ts';
import { planBan, planUnban } from './membership/ban.ts';
import { planInvite } from './membership/invite.ts';
import { planJoin } from './membership/join.ts';
import { planKick } from './membership/kick.ts';
import { planLeave } from './membership/leave.ts';
import { createNewRooms } from './new-rooms.ts';
import { getRedactionTarget, planRedaction } from './redact.ts';
import { createReceiver, type Receiver } from './receiving/receiver.ts';
import { createStateResolver } from './resolution/state-resolver.ts';
import { createReferenceHashes } from './reference-hashes.ts';
import { createRoomIds } from './room-ids.ts';
import { sendMessage } from './send-message.ts';
import { setState, soleEventId } from './set-state.ts';
import { createStateEvents } from './state-events.ts';
import { createTransactions } from './transactions.ts';
import { createRoomWriter } from './writer.ts';

/** Who asks: a person and the device they use. */
export type Actor = { readonly userId: string; readonly deviceId: string };

export type JoinOptions = { readonly reason: string | undefined; readonly via: readonly string[] };

/** What people do to rooms. Everything here refuses with a `MatrixError`. */
export interface RoomService {
  /** Creates a room and returns its ID. */
  create(actor: Actor, request: CreateRoomRequest): Promise<string>;
  invite(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  /** Joins a room by its ID or an alias, and returns its ID. */
  join(actor: Actor, roomIdOrAlias: string, options: JoinOptions): Promise<string>;
  leave(actor: Actor, roomId: string, reason: string | undefined): Promise<void>;
  kick(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  ban(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  unban(actor: Actor, roomId: string, userId: string, reason: string | undefined): Promise<void>;
  /** Sends a message event and returns its ID. */
  send(actor: Actor, roomId: string, type: string, txnId: string, content: JsonObject): Promise<string>;
  /** Sets an entry of the room's state and returns the event's ID. */
  setState(actor: Actor, roomId: string, type: string, stateKey: string, content: JsonObject): Promise<string>;
  /** Redacts an event and returns the redaction's ID. */
  redact(actor: Actor, roomId: string, eventId: string, txnId: string, reason: string | undefined): Promise<string>;
}

export type RoomServiceOptions = {
  readonly db: Database;
  readonly states: StateStore;
  readonly unread: UnreadService;
  readonly signer: EventSigner;
  readonly serverName: string;
  readonly defaultVersion: string;
  readonly now: () => number;
  readonly randomId: () => string;
  /** `displayname` and `avatar_url` of a person of this server, for their member events; empty for anyone else. */
  readonly profileOf: (userId: string) => Promise<JsonObject>;
};

export function createRoomService(options: RoomServiceOptions): RoomService & { readonly receiver: Receiver } {
  const { db, states, unread, signer, serverName, now, profileOf } = options;
  const stateEvents = createStateEvents(db);
  const known = createKnownState(states, stateEvents);
  const heads = createRoomHeads({ db, states });
  const chains = createChainStore(db, { maxEvents: 50_000 });
  const committer = createStepCommitter({ db, states, chains, heads, stateEvents, unread });
  const resolver = createStateResolver({ reader: db, states, chains, stateEvents });
  const { randomId } = options;
  const references = createReferenceHashes(db);
  const deciding = { db, states, chains, heads, known, stateEvents, unread, signer, now, committer, references, randomId };
  const writer = createRoomWriter(deciding);
  const receiver = createReceiver({ ...deciding, resolver });
  const newRooms = createNewRooms({ db, start: writer.start, serverName, randomId: options.randomId });
  const transactions = createTransactions(db);
  const roomIds = createRoomIds((roomId) => findRoomNid(db, roomId));

  /** A person who asks about a room that does not exist learns no more than that they are not in it. */
  async function nidOf(roomId: string): Promise<number> {
    const roomNid = await roomIds.find(roomId);
    if (roomNid === undefined) throw new MatrixError('forbidden', { message: 'You are not in this room.' });
    return roomNid;
  }

  function checkUserId(userId: string): void {
    if (!isUserId(userId)) throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
  }

  return {
    receiver,
    create: ({ userId }, request) => {
      for (const invited of request.invite ?? []) checkUserId(invited);
      return createRoom({ newRooms, serverName, defaultVersion: options.defaultVersion, profileOf }, userId, request);
    },
    async invite({ userId }, roomId, invited, reason) {
      checkUserId(invited);
      const [roomNid, profile] = await Promise.all([nidOf(roomId), profileOf(invited)]);
      await writer.append(roomNid, planInvite(userId, invited, profile, reason));
    },
    async join({ userId }, roomIdOrAlias, { reason }) {
      const room = await resolve(roomIdOrAlias);
      await writer.append(room.roomNid, planJoin(userId, await profileOf(userId), reason));
      return room.roomId;
    },
    async leave({ userId }, roomId, reason) {
      await writer.append(await nidOf(roomId), planLeave(userId, reason));
    },
    async kick({ userId }, roomId, kicked, reason) {
      checkUserId(kicked);
      await writer.append(await nidOf(roomId), planKick(userId, kicked, reason));
    },
    async ban({ userId }, roomId, banned, reason) {
      checkUserId(banned);
      await writer.append(await nidOf(roomId), planBan(userId, banned, reason));
    },
    async unban({ userId }, roomId, banned, reason) {
      checkUserId(banned);
      await writer.append(await nidOf(roomId), planUnban(userId, banned, reason));
    },
    async send(actor, roomId, type, txnId, content) {
      return sendMessage({ reader: db, writer, transactions }, await nidOf(roomId), actor, { type, txnId, content });
    },
    async setState({ userId }, roomId, type, stateKey, content) {
      return setState(writer, await nidOf(roomId), userId, { type, stateKey, content });
    },
    async redact(actor, roomId, eventId, txnId, reason) {
      const roomNid = await nidOf(roomId);
      const type = 'm.room.redaction';
      return transactions.once({ ...actor, roomNid, type, txnId }, async () => {
        const target = await getRedactionTarget(db, roomNid, eventId);
        const transaction = { deviceId: actor.deviceId, txnId };
        const plan = planRedaction(actor.userId, target, { eventId, reason, transaction }, { now, unread });
        return soleEventId((await writer.append(roomNid, plan)).events);
      });
    },
  };

  async function resolve(roomIdOrAlias: string): Promise<{ readonly roomNid: number; readonly roomId: string }> {
    if (roomIdOrAlias.startsWith('#')) {
      if (!isRoomAlias(roomIdOrAlias))
        throw new MatrixError('request.invalid-param', { message: 'This is not a room alias.' });
      const room = await findRoomOfAlias(db, roomIdOrAlias);
      if (room === undefined) throw new MatrixError('alias.not-found');
      return room;
    }
    const roomNid = await roomIds.find(roomIdOrAlias);
    if (roomNid === undefined) throw new MatrixError('room.not-found');
    return { roomNid, roomId: roomIdOrAlias };
  }
}
