import {
  type EventSigner,
  isJsonObject,
  isRoomAlias,
  parseServerName,
  roomVersions,
  serverNameOf,
  type ServerName,
} from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findMemberEvent } from '@portico/storage/stores/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { makeJoin, makeLeave, sendJoin, sendLeave } from '../../../federation-api/membership.ts';
import { queryDirectory } from '../../../federation-api/queries.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { JoinedRoom } from '../../rooms/importing/join-imported.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import type { RemoteJoin, RemoteRooms } from '../../rooms/remote-rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { CheckedPdu, CheckPdus } from './check-pdus.ts';
import type { FederatedRooms } from './federated-rooms.ts';
import { completeTemplate, type MemberEventWanted } from './remote-template.ts';

type Dependencies = {
  readonly db: Database;
  readonly client: FederationClient;
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly joinImported: (joined: JoinedRoom) => Promise<number>;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly invite: RemoteRooms['invite'];
  readonly signer: EventSigner;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** Servers that are tried one after the other. */
const maxServers = 10;

export function createRemoteRooms(deps: Dependencies): RemoteRooms {
  const { db, client, rooms, signer, log, now, randomId } = deps;
  const jobs = new Map<string, Promise<void>>();

  async function serversFor(roomId: string, userId: string, via: readonly string[]): Promise<readonly ServerName[]> {
    const member = await findMemberEvent(db, roomId, userId);
    const named = [...via, serverNameOf(member?.sender ?? ''), serverNameOf(roomId)];
    const servers = named.map((name) => parseServerName(name ?? '')).filter((name) => name !== undefined);
    return [...new Set(servers)].filter((name) => name !== signer.serverName).slice(0, maxServers);
  }

  /** Tries servers until one does it. A room's own refusal is the last word only if nobody says otherwise. */
  async function throughAny(servers: readonly ServerName[], attempt: (server: ServerName) => Promise<void>) {
    let refusal: MatrixError | undefined;
    for (const server of servers) {
      try {
        return await attempt(server);
      } catch (error) {
        if (!(error instanceof FederationError) && !(error instanceof UnusableAnswer)) throw error;
        log.info({ server, reason: error.message }, 'A server did not help with a room that this server is not in');
        refusal = refusalOf(error) ?? refusal;
      }
    }
    throw refusal ?? new MatrixError(servers.length === 0 ? 'room.not-found' : 'federation.failed');
  }

  function complete(template: Parameters<typeof completeTemplate>[0], wanted: MemberEventWanted) {
    const made = completeTemplate(template, wanted, { signer, now: now(), randomId });
    if (made === undefined) throw new UnusableAnswer('The template of the event is of no use');
    return made;
  }

  async function joinThrough(server: ServerName, { userId, roomId, content }: RemoteJoin): Promise<void> {
    const template = await client.call(makeJoin, server, {
      params: { roomId, userId },
      query: { ver: roomVersions.map(({ version }) => version) },
    });
    const { rules, pdu, parsed } = complete(template, { roomId, userId, membership: 'join', content });
    log.info({ roomId, server }, 'Joining a room: waiting for its state');
    const answer = await client.call(sendJoin, server, {
      params: { roomId, eventId: parsed.eventId },
      query: {},
      body: pdu,
    });
    log.info({ roomId, server, events: answer.state.length }, 'Joining a room: checking its state');
    const [[join], state, authChain] = await Promise.all([
      deps.checkPdus(rules, [isJsonObject(answer.event) ? answer.event : pdu]),
      deps.checkPdus(rules, answer.state),
      deps.checkPdus(rules, answer.auth_chain),
    ]);
    if (join?.kind !== 'ok' || join.event.eventId !== parsed.eventId) {
      throw new UnusableAnswer('The answer has another event than was sent');
    }
    const given = { rules, roomId, state: good(state), authChain: good(authChain) };
    if (!isOfVersion(given.state, rules.version)) throw new UnusableAnswer('The room is of another version');
    await deps.joinImported({
      given,
      join,
      progress: (stored, all) => log.info({ roomId, stored, all }, 'Joining a room: storing its state'),
    });
    log.info({ roomId, server }, 'Joined a room');
  }

  async function leaveThrough(server: ServerName, userId: string, roomId: string, previous: string): Promise<void> {
    const template = await client.call(makeLeave, server, { params: { roomId, userId } });
    const { rules, pdu, parsed } = complete(template, { roomId, userId, membership: 'leave', content: {} });
    await client.call(sendLeave, server, { params: { roomId, eventId: parsed.eventId }, body: pdu });
    const [checked] = await deps.checkPdus(rules, [pdu]);
    if (checked?.kind !== 'ok') throw new Error('An event of this server does not pass its own checks');
    await deps.recordRemote({ rules, received: checked, previous, strippedState: undefined });
  }

  return {
    invite: deps.invite,
    async isAway(roomId) {
      const room = await rooms.find(roomId, signer.serverName);
      return room === undefined || (!room.isOurs && (room.hasMembers || room.createEventNid === 0));
    },
    async join(request) {
      const running = jobs.get(request.roomId);
      if (running !== undefined) {
        await running.catch(() => undefined);
        return 'again';
      }
      const { roomId, userId, via } = request;
      const job = serversFor(roomId, userId, via).then((servers) =>
        throughAny(servers, (server) => joinThrough(server, request)),
      );
      jobs.set(roomId, job);
      try {
        await job;
        return 'joined';
      } finally {
        jobs.delete(roomId);
      }
    },
    async leave(userId, roomId) {
      const member = await findMemberEvent(db, roomId, userId);
      if (member === undefined || (member.membership !== 'invite' && member.membership !== 'knock')) {
        throw new MatrixError('forbidden', { message: 'You are not in this room.' });
      }
      const servers = await serversFor(roomId, userId, []);
      await throughAny(servers, (server) => leaveThrough(server, userId, roomId, member.membership));
    },
    async resolveAlias(alias) {
      const server = isRoomAlias(alias) ? parseServerName(serverNameOf(alias) ?? '') : undefined;
      if (server === undefined || server === signer.serverName) throw new MatrixError('alias.not-found');
      try {
        const answer = await client.call(queryDirectory, server, { query: { room_alias: alias } });
        return { roomId: answer.room_id, servers: [...answer.servers.slice(0, maxServers), server] };
      } catch (error) {
        if (!(error instanceof FederationError)) throw error;
        if (error.refusal?.errcode === 'M_NOT_FOUND') throw new MatrixError('alias.not-found');
        throw new MatrixError('federation.failed');
      }
    },
  };
}

/** Another server has answered with something that cannot be true. */
class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

function good(checked: Awaited<ReturnType<CheckPdus>>): readonly CheckedPdu[] {
  return checked.filter((each) => each.kind === 'ok');
}

function isOfVersion(state: readonly CheckedPdu[], version: string): boolean {
  const create = state.find(({ event }) => event.type === 'm.room.create' && event.stateKey === '');
  return create !== undefined && (create.event.content['room_version'] ?? '1') === version;
}

function refusalOf(error: FederationError | UnusableAnswer): MatrixError | undefined {
  const refusal = error instanceof FederationError ? error.refusal : undefined;
  const message = refusal?.error === undefined ? {} : { message: refusal.error };
  switch (refusal?.errcode ?? '') {
    case 'M_FORBIDDEN':
    case 'M_UNABLE_TO_AUTHORISE_JOIN':
      return new MatrixError('forbidden', message);
    case 'M_NOT_FOUND':
      return new MatrixError('room.not-found', message);
    case 'M_INCOMPATIBLE_ROOM_VERSION':
      return new MatrixError('room.incompatible-version', {
        message: 'This server does not support the version of this room.',
        fields: { room_version: refusal?.body['room_version'] ?? '1' },
      });
    default:
      return undefined;
  }
}
