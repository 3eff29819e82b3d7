import { type EventSigner, isRoomAlias, parseServerName, type ServerName, serverNameOf } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { leaveAgainIfDeactivated } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { findMemberEvent, readHosts } from '@portico/storage/stores/federation/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { queryDirectory } from '../../../federation-api/queries.ts';
import type { Logger } from '../../../observability/logger.ts';
import { refuseBlockedRoom } from '../../rooms/blocking/refuse-blocked-room.ts';
import type { JoinedRoom } from '../../rooms/importing/join-imported.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import { admissionKeys, peopleWhoInvite } from '../../rooms/membership/restricted-join.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { RemoteJoin, RemoteRooms } from '../../rooms/remote-rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { Entering } from '../receiving/entering.ts';
import type { IngestEvent } from '../receiving/room-inbox.ts';
import type { CheckPdus } from './check-pdus.ts';
import { createCompleteEvent } from './complete-event.ts';
import type { FederatedRooms } from './federated-rooms.ts';
import { beginJoin, type JoinUnderWay } from './joins-under-way.ts';
import { createJoinThrough } from './remote-join.ts';
import { createKnockThrough } from './remote-knock.ts';
import { createLeaveThrough, createRemoteLeave, createTellLeave } from './remote-leave.ts';
import type { BeginSendFirst, SendFirst } from './send-first.ts';
import { createSettleJoin } from './settle-join.ts';
import type { FilterToldState } from './shown-state.ts';
import { candidateServers, maxServers, throughAny } from './through-servers.ts';

type Dependencies = {
  readonly db: Database;
  readonly client: FederationClient;
  readonly rooms: FederatedRooms;
  readonly readState: ReadState;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly filterToldState: FilterToldState;
  readonly beginSendFirst: BeginSendFirst;
  readonly joinImported: (joined: JoinedRoom) => Promise<number>;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly invite: RemoteRooms['invite'];
  readonly entering: Entering;
  readonly signer: EventSigner;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
};

export function createRemoteRooms(dependencies: Dependencies): RemoteRooms {
  const complete = createCompleteEvent(dependencies);
  const leaveThrough = createLeaveThrough({ ...dependencies, complete });
  const deps = { ...dependencies, complete, leaveThrough };
  const { db, client, rooms, signer, log } = deps;
  const { serverName } = signer;
  const jobs = new Map<string, Promise<unknown>>();
  const joinThrough = createJoinThrough(deps);
  const settleJoin = createSettleJoin({ ...deps, serverName, joinThrough });
  const knockThrough = createKnockThrough(deps);

  async function serversFor({ roomId, userId, via }: RemoteJoin) {
    const member = await findMemberEvent(db, roomId, userId);
    return candidateServers(roomId, [...via, serverNameOf(member?.sender ?? '')], signer);
  }

  /** Tries servers until one lets the person in. What cannot be known of that is settled later. */
  async function joinThroughAny(
    servers: readonly ServerName[],
    { userId, roomId }: RemoteJoin,
    attempt: (server: ServerName, underWay: JoinUnderWay, sendFirst: SendFirst) => Promise<void>,
  ): Promise<void> {
    const underWay = beginJoin(deps, userId, roomId);
    const sendFirst = deps.beginSendFirst();
    let isIn = false;
    try {
      await throughAny(servers, (server) => attempt(server, underWay, sendFirst), log);
      isIn = true;
    } finally {
      await underWay.end(isIn);
    }
  }

  /** Two joins of one room would import it twice. */
  async function alone<T>(roomId: string, work: () => Promise<T>): Promise<T> {
    const job = work();
    jobs.set(roomId, job);
    try {
      return await deps.entering.during(roomId, job);
    } finally {
      if (jobs.get(roomId) === job) jobs.delete(roomId);
    }
  }

  return {
    invite: deps.invite,
    leave: createRemoteLeave(deps),
    tellLeave: createTellLeave(deps),
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
      await alone(request.roomId, async () =>
        joinThroughAny(await serversFor(request), request, (server, underWay, sendFirst) =>
          joinThrough.enter(server, request, underWay, sendFirst),
        ),
      );
      return 'joined';
    },
    async settleJoin(join) {
      for (let running = jobs.get(join.roomId); running !== undefined; running = jobs.get(join.roomId)) {
        await running.catch(() => undefined);
      }
      return alone(join.roomId, () => settleJoin(join));
    },
    async joinAdmitted(request) {
      const { roomId, via } = request;
      const room = await rooms.find(roomId, signer.serverName);
      if (room === undefined || !room.isOurs) return false;
      const [state, hosts] = await Promise.all([
        deps.readState(room.roomNid, admissionKeys),
        readHosts(db, room.roomNid, maxServers),
      ]);
      const servers = candidateServers(roomId, [...peopleWhoInvite(state).map(serverNameOf), ...via, ...hosts], signer);
      if (servers.length === 0) return false;
      await joinThroughAny(servers, request, (server, underWay, sendFirst) =>
        joinThrough.join(server, request, room, underWay, sendFirst),
      );
      const set = createWriteSet();
      leaveAgainIfDeactivated(set, request.userId);
      await db.commit(set);
      // Whoever came in all the same is being taken out again.
      await refuseBlockedRoom(db, roomId);
      return true;
    },
    async knock(request) {
      const sendFirst = deps.beginSendFirst();
      await throughAny(await serversFor(request), (server) => knockThrough(server, request, sendFirst), log);
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
