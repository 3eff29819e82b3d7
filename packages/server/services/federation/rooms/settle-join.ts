import type { JsonValue, ServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { leaveAgainIfDeactivated } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { findMemberEvent } from '@portico/storage/stores/federation/federation-rooms.ts';
import { getEvent } from '../../../federation-api/history.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import type { RemoteRooms, UncertainJoin } from '../../rooms/remote-rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { IngestEvent } from '../receiving/room-inbox.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { FederatedRoom, FederatedRooms } from './federated-rooms.ts';
import type { JoinUnderWay } from './joins-under-way.ts';
import type { JoinThrough } from './remote-join.ts';
import { type LeaveThrough, recordLeave } from './remote-leave.ts';
import type { BeginSendFirst } from './send-first.ts';
import { UnusableAnswer } from './through-servers.ts';

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly client: FederationClient;
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly joinThrough: JoinThrough;
  readonly beginSendFirst: BeginSendFirst;
  readonly leaveThrough: LeaveThrough;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
};

/** A join of which nobody here waits for the end: what is stored of it is there until it is settled. */
const unattended: JoinUnderWay = {
  ask: () => Promise.resolve(),
  failed: () => undefined,
  settle: () => undefined,
  end: () => Promise.resolve(),
};

/**
 * Finds out whether servers have taken a join of which this server does not know the end. A server gives an event only to
 * servers in its room, so it gives this one if it let the person in.
 */
export function createSettleJoin(deps: Dependencies): RemoteRooms['settleJoin'] {
  const { db, serverName, client, rooms, checkPdus, ingest, joinThrough, leaveThrough } = deps;

  /** The event as a server has it; `undefined` if it has not taken it. */
  async function findTaken(server: ServerName, eventId: string): Promise<JsonValue | undefined> {
    try {
      return (await client.call(getEvent, server, { params: { eventId } })).pdus[0];
    } catch (error) {
      const status = error instanceof FederationError ? (error.refusal?.status ?? 0) : 0;
      if (status === 403 || status === 404) return undefined;
      throw error;
    }
  }

  /** The room knows of it without this server, which is in the room, too. */
  async function takeIn(room: FederatedRoom, taken: JsonValue, server: ServerName, userId: string): Promise<void> {
    const [received] = await checkPdus(room.rules, [taken]);
    if (received?.kind === 'ok') await ingest(room, received, server);
    const set = createWriteSet();
    leaveAgainIfDeactivated(set, userId);
    await db.commit(set);
  }

  async function settleAt(server: ServerName, taken: JsonValue, join: UncertainJoin): Promise<void> {
    const { userId, roomId, content, leaveWith } = join;
    const room = await rooms.find(roomId, serverName);
    if (room?.isOurs === true) await takeIn(room, taken, server, userId);
    else if (leaveWith === undefined)
      await joinThrough.enter(server, { userId, roomId, via: [], content }, unattended, deps.beginSendFirst());
    else {
      const left = await leaveThrough(server, userId, roomId, leaveWith);
      const previous = (await findMemberEvent(db, roomId, userId))?.membership;
      if (previous === 'invite' || previous === 'knock') await recordLeave(deps, left, previous);
    }
  }

  return async (join) => {
    const { userId, roomId, asked } = join;
    const member = await findMemberEvent(db, roomId, userId);
    if (member?.membership === 'join') return true;
    let isCertain = true;
    for (const [server, eventId] of asked) {
      try {
        const taken = await findTaken(server, eventId);
        if (taken === undefined) continue;
        await settleAt(server, taken, join);
        return true;
      } catch (error) {
        if (!(error instanceof FederationError) && !(error instanceof UnusableAnswer)) throw error;
        isCertain = false;
      }
    }
    return isCertain;
  };
}
