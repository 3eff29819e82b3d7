import {
  type EventSigner,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  parseJson,
  parsePdu,
  parseServerName,
  serverNameOf,
} from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { invite } from '../../../federation-api/membership.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { ReferenceHashes } from '../../rooms/reference-hashes.ts';
import type { RemoteInvite } from '../../rooms/remote-rooms.ts';
import { strippedState, strippedStateKeys } from '../../rooms/stripped-state.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { IngestEvent } from '../receiving/ingest.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { FederatedRooms } from './federated-rooms.ts';
import { makeTemplate } from './template.ts';

type Dependencies = {
  readonly client: FederationClient;
  readonly rooms: FederatedRooms;
  readonly readState: ReadState;
  readonly references: ReferenceHashes;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly signer: EventSigner;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** As MSC4155 and MSC4380 write it. */
const unstablyBlocked: ReadonlySet<string | undefined> = new Set([
  'ORG.MATRIX.MSC4155.M_INVITE_BLOCKED',
  'ORG.MATRIX.MSC4155.INVITE_BLOCKED',
]);

/** Invites a person of another server: it signs the invitation first, and then the room has it. */
export function createOutgoingInvites(deps: Dependencies): (request: RemoteInvite) => Promise<string> {
  const { client, rooms, readState, signer } = deps;

  async function askServer(request: RemoteInvite, pdu: JsonObject, eventId: string, version: string) {
    const { roomNid, roomId, userId, sender } = request;
    const server = parseServerName(serverNameOf(userId) ?? '');
    if (server === undefined) throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
    const { state } = await readState(roomNid, [...strippedStateKeys, ['m.room.member', sender]]);
    const shown = [...strippedStateKeys, ['m.room.member', sender] as const].map(([type, key]) => state(type, key));
    const body = {
      event: pdu,
      room_version: version,
      invite_room_state: parseJson(strippedState(shown), 'lenient') as unknown as JsonObject[],
    };
    try {
      return await client.call(invite, server, { params: { roomId, eventId }, body });
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const message = error.refusal?.error;
      if (error.refusal?.errcode === 'M_FORBIDDEN') {
        throw new MatrixError('forbidden', message === undefined ? {} : { message });
      }
      if (error.refusal?.errcode === 'M_INVITE_BLOCKED') throw new MatrixError('invite.blocked');
      if (unstablyBlocked.has(error.refusal?.errcode)) throw new MatrixError('invite.blocked-unstable');
      throw new MatrixError('federation.failed');
    }
  }

  return async (request) => {
    const { roomNid, roomId, sender, userId, content } = request;
    const template = await makeTemplate(deps, roomNid, { sender, userId, content });
    const rules = findRoomVersion(template.version);
    const room = await rooms.find(roomId, signer.serverName);
    if (rules === undefined || room === undefined) throw new MatrixError('room.not-found');
    const explicit = rules.event.eventId === 'explicit' ? { event_id: `$${deps.randomId()}:${signer.serverName}` } : {};
    const pdu = hashAndSignEvent(rules, { ...template.event, ...explicit }, signer.serverName, signer.key);
    const parsed = parsePdu(rules, pdu);
    if (parsed.kind === 'reject') throw new MatrixError('request.bad-json', { message: parsed.reason });
    const answer = await askServer(request, pdu, parsed.eventId, rules.version);
    const [signed] = await deps.checkPdus(rules, [isJsonObject(answer.event) ? answer.event : pdu]);
    if (signed?.kind !== 'ok' || signed.event.eventId !== parsed.eventId) throw new MatrixError('federation.failed');
    const outcome = await deps.ingest(room, signed, signer.serverName);
    if (outcome.kind === 'rejected' || outcome.kind === 'soft-failed') {
      throw new MatrixError('forbidden', { message: outcome.reason });
    }
    return parsed.eventId;
  };
}
