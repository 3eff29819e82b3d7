import type { EventSigner, JsonObject } from '@portico/protocol';
import { isRoomAlias, isRoomId, isUserId, serverNameOf } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { createChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { findRoomOfAlias } from '@portico/storage/stores/room-aliases.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { InviteRules } from '../privacy/invite-rules.ts';
import { createRoomNames } from '../reading/room-names.ts';
import { refuseRejection } from '../server-notices/refuse-rejection.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { createRoom, type CreateRoomRequest } from './create-room.ts';
import { createStepCommitter } from './commit-steps.ts';
import { createRoomHeads } from './heads.ts';
import { createKnownState } from './known-state.ts';
import { joinImported } from './importing/join-imported.ts';
import { recordRemoteMembership } from './importing/remote-invite.ts';
import { refuseManyAliases } from './aliases/alias-limit.ts';
import { checkCanonicalAlias } from './aliases/canonical-alias.ts';
import { withReason } from './membership/change-membership.ts';
import { planBan, planUnban } from './membership/ban.ts';
import { forget } from './membership/forget.ts';
import { planInvite } from './membership/invite.ts';
import { joinContent } from './membership/join.ts';
import { joinRoom } from './membership/join-room.ts';
import { predecessorIn } from './membership/predecessor.ts';
import { planKick } from './membership/kick.ts';
import { planKnock } from './membership/knock.ts';
import { planLeave } from './membership/leave.ts';
import { checkSendable, type IntendedEvent, redactsOf } from './check-sendable.ts';
import { inviteeOf } from './creation/invitations.ts';
import { createNewRooms } from './new-rooms.ts';
import { createReadState } from './read-state.ts';
import { planRedaction, readRedactionTarget } from './redact.ts';
import { prepareRelatedRedactions } from './redact-related.ts';
import { createMerger } from './receiving/merge.ts';
import { createReceiver } from './receiving/receiver.ts';
import { createStateResolver } from './resolution/state-resolver.ts';
import { createReferenceHashes } from './reference-hashes.ts';
import { type AskPolicyServer, createRoomPolicy } from './policy/room-policy.ts';
import type { RemoteRooms } from './remote-rooms.ts';
import type { RoomParts } from './room-parts.ts';
import { sendMessage } from './send-message.ts';
import { setState, soleEventId } from './set-state.ts';
import { createStateEvents } from './state-events.ts';
import { createTransactions } from './transactions.ts';
import { createRoomWriter } from './writer.ts';

const askNobody: AskPolicyServer = () => Promise.reject(new MatrixError('policy.unavailable'));

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
    originServerTs?: number,
  ): Promise<string>;
  /** Refuses an event that nobody could send into the room, for what it is. */
  checkSendable(
    actor: Pick<Actor, 'userId'>,
    roomId: string,
    event: Pick<IntendedEvent, 'type' | 'stateKey' | 'content'>,
  ): Promise<void>;
  /** Sets an entry of the room's state and returns the event's ID. */
  setState(
    actor: Actor,
    roomId: string,
    type: string,
    stateKey: string,
    content: JsonObject,
    originServerTs?: number,
  ): Promise<string>;
  /** Redacts an event, and in time what relates to it by one of some types, and returns the redaction's ID. */
  redact(
    actor: Actor,
    roomId: string,
    eventId: string,
    txnId: string,
    request: {
      /** Of the redaction, without what it redacts. */
      readonly content: JsonObject;
      readonly relTypes?: readonly string[] | undefined;
      readonly originServerTs?: number | undefined;
    },
  ): Promise<string>;
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
  /** Brings what somebody has set for a room to the one that replaces it. May happen more than once. */
  readonly carrySettings?: (userId: string, from: string, to: string) => Promise<void>;
  /** Rooms by way of other servers, where this one federates. */
  readonly remote?: () => RemoteRooms | undefined;
  /** Asks policy servers, where this one federates. */
  readonly askPolicyServer?: AskPolicyServer;
  /** Who may invite the people of this server. */
  readonly inviteRules: Pick<InviteRules, 'refuseBlocked'>;
  /** Whether only administrators list rooms in the directory. */
  readonly onlyAdminsPublish?: boolean;
  /** Refuses an alias that a person, or the application service `by`, may not make. */
  readonly checkAlias?: (alias: string, by: string | undefined) => void;
  /** Has an alias made that does not exist; answers whether that was done. */
  readonly makeAlias?: (alias: string) => Promise<boolean>;
  /** `displayname` and `avatar_url` of a person of this server, for their member events; empty for anyone else. */
  readonly profileOf: (userId: string) => Promise<JsonObject>;
};

export function createRoomService(options: RoomServiceOptions): RoomService & RoomParts {
  const { db, states, unread, signer, serverName, now, profileOf } = options;
  const stateEvents = createStateEvents(db);
  const known = createKnownState(states, stateEvents);
  const heads = createRoomHeads({ db, states });
  const chains = createChainStore(db, { maxEvents: 50_000 });
  const committer = createStepCommitter({ db, states, chains, heads, stateEvents, unread });
  const merger = createMerger(states, createStateResolver({ db, states, chains, stateEvents }));
  const { randomId } = options;
  const references = createReferenceHashes(db);
  const policy = createRoomPolicy({ db, known, ask: options.askPolicyServer ?? askNobody });
  const deciding = {
    db,
    policy,
    states,
    chains,
    heads,
    known,
    stateEvents,
    unread,
    signer,
    now,
    committer,
    references,
    randomId,
  };
  const writer = createRoomWriter(deciding);
  const receiver = createReceiver({ ...deciding, merger });
  const newRooms = createNewRooms({ db, starts: writer, serverName, randomId: options.randomId, now });
  const readState = createReadState(db, stateEvents);
  const transactions = createTransactions(db);
  const roomNames = createRoomNames(db);

  /** A person who asks about a room that does not exist learns no more than that they are not in it. */
  async function nidOf(roomId: string): Promise<number> {
    const roomNid = await roomNames.find(roomId);
    if (roomNid === undefined) throw new MatrixError('forbidden', { message: 'You are not in this room.' });
    return roomNid;
  }

  function checkUserId(userId: string): void {
    if (!isUserId(userId)) throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
  }

  const findRoomNid = (roomId: string) => roomNames.find(roomId);

  /** Other servers, if the room is to be reached by way of them. */
  async function awayFor(roomId: string): Promise<RemoteRooms | undefined> {
    const remote = options.remote?.();
    return remote !== undefined && (await remote.isAway(roomId)) ? remote : undefined;
  }

  const isElsewhere = (userId: string): boolean =>
    options.remote?.() !== undefined && serverNameOf(userId) !== serverName;

  async function inviteElsewhere(
    roomNid: number,
    roomId: string,
    sender: string,
    userId: string,
    content: JsonObject,
  ): Promise<string> {
    const remote = options.remote?.();
    if (remote === undefined) throw new MatrixError('federation.failed');
    return remote.invite({ roomNid, roomId, sender, userId, content: { ...content, membership: 'invite' } });
  }

  const { refuseBlocked } = options.inviteRules;

  const headOf = async (roomNid: number) => heads.current(roomNid) ?? (await heads.load(roomNid));

  /** A room's ID, and servers that may be in it. */
  async function locate(
    roomIdOrAlias: string,
  ): Promise<{ readonly roomId: string; readonly servers: readonly string[] }> {
    const remote = options.remote?.();
    if (remote === undefined || !isRoomAlias(roomIdOrAlias) || serverNameOf(roomIdOrAlias) === serverName) {
      return { roomId: isRoomId(roomIdOrAlias) ? roomIdOrAlias : (await resolve(roomIdOrAlias)).roomId, servers: [] };
    }
    return remote.resolveAlias(roomIdOrAlias);
  }

  const redact: RoomService['redact'] = async (actor, roomId, eventId, txnId, request) => {
    const { content, relTypes = [], originServerTs } = request;
    const roomNid = await nidOf(roomId);
    const type = 'm.room.redaction';
    return transactions.once({ ...actor, roomNid, type, txnId }, async () => {
      const target = await readRedactionTarget(db, roomNid, eventId);
      const ownOnly = actor.standing === 'suspended';
      if (ownOnly && target?.sender !== actor.userId) throw new MatrixError('user.suspended');
      const transaction = { deviceId: actor.deviceId, txnId };
      const related = { roomNid, eventId, relTypes, content, ownOnly };
      const alongside =
        relTypes.length === 0 ? undefined : await prepareRelatedRedactions(db, actor.userId, related, now());
      const asked = { content, originServerTs, transaction, ...(alongside && { alongside }) };
      const plan = planRedaction(actor.userId, { eventId, target }, asked, { now, unread });
      return soleEventId((await writer.append(roomNid, plan)).events);
    });
  };

  return {
    importing: deciding,
    joinImported: (joined) => joinImported({ ...deciding, findRoomNid }, joined),
    recordRemote: (membership) => recordRemoteMembership({ db, serverName, findRoomNid }, membership),
    references,
    receiver,
    async signByPolicy(roomNid, pdu) {
      const head = await headOf(roomNid);
      return head === undefined ? pdu : policy.sign(head, pdu);
    },
    merger,
    writer,
    newRooms,
    readState,
    resolve,
    locate,
    async create({ userId, isAdmin, appService }, request, inviteFurther) {
      for (const invited of request.invite ?? []) checkUserId(invited);
      if (request.room_alias_name !== undefined)
        await refuseManyAliases(db, { userId, ...(appService && { appService }) });
      const { defaultVersion, onlyAdminsPublish } = options;
      const mayPublish = onlyAdminsPublish !== true || isAdmin === true;
      const checkAlias = (alias: string) => options.checkAlias?.(alias, appService?.id);
      const creating = {
        checkAlias,
        isElsewhere,
        refuseBlocked,
        newRooms,
        serverName,
        defaultVersion,
        mayPublish,
        profileOf,
      };
      const elsewhere = [...new Set(request.invite)].filter(isElsewhere);
      const created = await createRoom(creating, userId, request);
      const { roomId } = created;
      let { refusal } = created;
      const roomNid = await nidOf(roomId);
      const content: JsonObject = request.is_direct === true ? { is_direct: true } : {};
      const invitations = elsewhere.map((invited) => () => inviteElsewhere(roomNid, roomId, userId, invited, content));
      for (const invite of [...invitations, async () => inviteFurther?.(roomId)]) {
        try {
          await invite();
        } catch (error) {
          // The others are invited all the same.
          if (!(error instanceof MatrixError)) throw error;
          refusal ??= error;
        }
      }
      await carryOver(userId, predecessorIn(request.creation_content), roomId);
      if (refusal !== undefined) throw refusal;
      return roomId;
    },
    async invite({ userId }, roomId, invited, reason) {
      checkUserId(invited);
      const [roomNid, profile] = await Promise.all([nidOf(roomId), profileOf(invited)]);
      if (isElsewhere(invited)) {
        await inviteElsewhere(roomNid, roomId, userId, invited, withReason({}, reason));
        return;
      }
      await refuseBlocked(userId, invited);
      await writer.append(roomNid, planInvite(userId, invited, profile, reason));
    },
    async join({ userId }, roomIdOrAlias, { reason, extra = {}, via }) {
      const { roomId, servers } = await locate(roomIdOrAlias);
      const content = { profile: await profileOf(userId), reason, extra };
      for (let remote = await awayFor(roomId); remote !== undefined; remote = await awayFor(roomId)) {
        const request = { userId, roomId, via: [...via, ...servers], content: joinContent(content) };
        if ((await remote.join(request)) === 'joined') {
          const { state } = await readState(await nidOf(roomId), [['m.room.create', '']]);
          await carryOver(userId, predecessorIn(state('m.room.create')?.content), roomId);
          return roomId;
        }
      }
      const room = await resolve(roomId);
      const joinElsewhere = async (): Promise<boolean> => {
        const remote = options.remote?.();
        return remote?.joinAdmitted({ userId, roomId, via, content: joinContent(content) }) ?? false;
      };
      const joining = { db, writer, readState, serverName, joinElsewhere };
      const { predecessor } = await joinRoom(joining, room.roomNid, userId, content);
      await carryOver(userId, predecessor, room.roomId);
      return room.roomId;
    },
    async knock({ userId }, roomIdOrAlias, { reason, via }) {
      const { roomId, servers } = await locate(roomIdOrAlias);
      const profile = await profileOf(userId);
      const remote = await awayFor(roomId);
      if (remote === undefined) {
        await writer.append((await resolve(roomId)).roomNid, planKnock(userId, profile, reason));
      } else {
        const content = withReason({ ...profile, membership: 'knock' }, reason);
        await remote.knock({ userId, roomId, via: [...via, ...servers], content });
      }
      return roomId;
    },
    async forget({ userId }, roomId) {
      const roomNid = await roomNames.find(roomId);
      if (roomNid !== undefined) await forget(db, roomNid, userId);
    },
    async leave({ userId }, roomId, reason) {
      const remote = await awayFor(roomId);
      if (remote !== undefined) return remote.leave(userId, roomId, withReason({}, reason));
      const roomNid = await nidOf(roomId);
      await refuseRejection(db, userId, roomId, roomNid);
      await writer.append(roomNid, planLeave(userId, reason));
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
    async send(actor, roomId, type, txnId, content, originServerTs) {
      if (type === 'm.room.redaction') {
        const { redacts: _, ...rest } = content;
        return redact(actor, roomId, redactsOf(content), txnId, { content: rest, originServerTs });
      }
      const message = { type, txnId, content, originServerTs };
      return sendMessage({ reader: db, writer, transactions }, await nidOf(roomId), actor, message);
    },
    async checkSendable({ userId }, roomId, event) {
      const head = await headOf(await nidOf(roomId));
      if (head !== undefined) checkSendable(head, { ...event, sender: userId }, signer);
    },
    async setState({ userId }, roomId, type, stateKey, content, originServerTs) {
      const roomNid = await nidOf(roomId);
      if (type === 'm.room.canonical_alias' && stateKey === '') {
        await checkCanonicalAlias({ db, readState, serverName, locate }, { roomNid, roomId }, content);
      }
      const invitee = inviteeOf({ type, stateKey, content });
      if (invitee !== undefined && isUserId(invitee)) {
        if (isElsewhere(invitee)) return inviteElsewhere(roomNid, roomId, userId, invitee, content);
        await refuseBlocked(userId, invitee);
      }
      return setState(writer, roomNid, userId, { type, stateKey, content, originServerTs });
    },
    redact,
  };

  async function carryOver(userId: string, from: string | undefined, to: string): Promise<void> {
    if (from !== undefined && from !== to) await options.carrySettings?.(userId, from, to);
  }

  async function resolve(roomIdOrAlias: string): Promise<{ readonly roomNid: number; readonly roomId: string }> {
    if (roomIdOrAlias.startsWith('#')) {
      if (!isRoomAlias(roomIdOrAlias))
        throw new MatrixError('request.invalid-param', { message: 'This is not a room alias.' });
      const find = () => findRoomOfAlias(db, roomIdOrAlias);
      const room = (await find()) ?? ((await options.makeAlias?.(roomIdOrAlias)) === true ? await find() : undefined);
      if (room === undefined) throw new MatrixError('alias.not-found');
      return room;
    }
    const roomNid = await roomNames.find(roomIdOrAlias);
    if (roomNid === undefined) throw new MatrixError('room.not-found');
    return { roomNid, roomId: roomIdOrAlias };
  }
}
