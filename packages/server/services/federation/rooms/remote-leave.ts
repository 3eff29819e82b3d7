import {
  type EventSigner,
  findRoomVersion,
  hashAndSignEvent,
  type JsonObject,
  type RoomVersionRules,
  type ServerName,
  serverNameOf,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findMemberEvent, type MemberEventRow } from '@portico/storage/stores/federation/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { makeLeave, sendLeave } from '../../../federation-api/membership.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import type { RemoteRooms, UntoldLeave } from '../../rooms/remote-rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { CompleteEvent } from './complete-event.ts';
import { candidateServers, throughAny } from './through-servers.ts';

type Dependencies = {
  readonly db: Reader;
  readonly client: FederationClient;
  readonly checkPdus: CheckPdus;
  readonly complete: CompleteEvent;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
  readonly signer: EventSigner;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** Leaves a room over there. Nothing is recorded here. */
export type LeaveThrough = (
  server: ServerName,
  userId: string,
  roomId: string,
  content: JsonObject,
) => Promise<{ readonly rules: RoomVersionRules; readonly pdu: JsonObject }>;

export function createLeaveThrough({ client, complete }: Pick<Dependencies, 'client' | 'complete'>): LeaveThrough {
  return async (server, userId, roomId, content) => {
    const template = await client.call(makeLeave, server, { params: { roomId, userId } });
    const { rules, pdu, parsed } = complete(template, { roomId, userId, membership: 'leave', content });
    await client.call(sendLeave, server, { params: { roomId, eventId: parsed.eventId }, body: pdu });
    return { rules, pdu };
  };
}

/**
 * Declines an invitation to a room that this server is not in, or withdraws a knock. Whether or not anybody in the room
 * hears of it, the person is rid of it: an invitation from a server that is gone would otherwise stay for good.
 */
export function createRemoteLeave(deps: Dependencies & { readonly leaveThrough: LeaveThrough }): RemoteRooms['leave'] {
  const { db, signer, log, leaveThrough } = deps;

  /** A leave that follows the invitation or knock alone, and that no other server is told of. */
  function leaveAlone(
    rules: RoomVersionRules,
    userId: string,
    roomId: string,
    content: JsonObject,
    member: MemberEventRow,
  ) {
    const { event_id: eventId, depth } = member;
    const reference = rules.event.references === 'pairs' ? [eventId, { sha256: '' }] : eventId;
    const event: JsonObject = {
      type: 'm.room.member',
      room_id: roomId,
      sender: userId,
      state_key: userId,
      content: { ...content, membership: 'leave' },
      depth: Math.min(depth + 1, Number.MAX_SAFE_INTEGER),
      origin_server_ts: deps.now(),
      prev_events: [reference],
      auth_events: [reference],
      ...(rules.event.eventId === 'explicit' && { event_id: `$${deps.randomId()}:${signer.serverName}` }),
    };
    return { rules, pdu: hashAndSignEvent(rules, event, signer.serverName, signer.key) };
  }

  async function leaveAnyhow(
    userId: string,
    roomId: string,
    content: JsonObject,
    member: MemberEventRow,
    untold: ((leave: UntoldLeave) => Promise<void>) | undefined,
  ) {
    const asked = member.servers === null ? [] : (JSON.parse(member.servers) as string[]);
    const servers = candidateServers(roomId, [...asked, serverNameOf(member.sender)], signer);
    try {
      return (await throughAny(servers, (server) => leaveThrough(server, userId, roomId, content), log)).value;
    } catch (error) {
      const rules = findRoomVersion(member.room_version);
      if (!(error instanceof MatrixError) || rules === undefined) throw error;
      log.info(
        { roomId, reason: error.message },
        'Nobody could be told that an invitation is declined, or a knock withdrawn',
      );
      if (isUnreached(error)) await untold?.({ roomId, servers });
      return leaveAlone(rules, userId, roomId, content, member);
    }
  }

  return async (userId, roomId, content, untold) => {
    const member = await findMemberEvent(db, roomId, userId);
    if (member === undefined) throw new MatrixError('forbidden', { message: 'You are not in this room.' });
    const { membership: previous } = member;
    if (previous === 'leave') return;
    if (previous === 'ban') throw new MatrixError('forbidden', { message: 'You are banned from this room.' });
    await recordLeave(deps, await leaveAnyhow(userId, roomId, content, member, untold), previous);
  };
}

/** Whether no server has answered, or none with anything of use: it may be otherwise the next time. */
const isUnreached = ({ reason }: MatrixError): boolean => reason === 'federation.failed';

export function createTellLeave({
  log,
  leaveThrough,
}: Pick<Dependencies, 'log'> & { readonly leaveThrough: LeaveThrough }): RemoteRooms['tellLeave'] {
  return async ({ userId, roomId, content, servers }) => {
    try {
      await throughAny(servers, (server) => leaveThrough(server, userId, roomId, content), log);
      return true;
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      return !isUnreached(error);
    }
  };
}

/** The person has left a room that this server is not in. */
export async function recordLeave(
  { checkPdus, recordRemote }: Pick<Dependencies, 'checkPdus' | 'recordRemote'>,
  { rules, pdu }: Awaited<ReturnType<LeaveThrough>>,
  previous: string,
): Promise<void> {
  const [received] = await checkPdus(rules, [pdu]);
  if (received?.kind !== 'ok') throw new Error('An event of this server does not pass its own checks');
  await recordRemote({ rules, received, previous, shown: undefined });
}
