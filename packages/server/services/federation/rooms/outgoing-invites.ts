import {
  type EventSigner,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  parsePdu,
  parseServerName,
  serverNameOf,
} from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RemoteInvite } from '../../rooms/remote-rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
import type { IngestEvent } from '../receiving/room-inbox.ts';
import { createAskInvitedServer } from './ask-invited-server.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { FederatedRooms } from './federated-rooms.ts';
import { makeTemplate, type TemplateDependencies } from './template.ts';
import type { TellState } from './told-state.ts';

type Dependencies = TemplateDependencies & {
  readonly client: FederationClient;
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly tellState: TellState;
  readonly signByPolicy: (roomNid: number, pdu: JsonObject) => Promise<JsonObject>;
  readonly signer: EventSigner;
  readonly randomId: () => string;
};

/** Invites a person of another server: it signs the invitation first, and then the room has it. */
export function createOutgoingInvites(deps: Dependencies): (request: RemoteInvite) => Promise<string> {
  const { rooms, signer } = deps;
  const askServer = createAskInvitedServer(deps.client);

  return async ({ roomNid, roomId, sender, userId, content }) => {
    const server = parseServerName(serverNameOf(userId) ?? '');
    if (server === undefined) throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
    const template = await makeTemplate(deps, roomNid, { sender, userId, content });
    const rules = findRoomVersion(template.version);
    const room = await rooms.find(roomId, signer.serverName);
    if (rules === undefined || room === undefined) throw new MatrixError('room.not-found');
    const explicit = rules.event.eventId === 'explicit' ? { event_id: `$${deps.randomId()}:${signer.serverName}` } : {};
    const own = hashAndSignEvent(rules, { ...template.event, ...explicit }, signer.serverName, signer.key);
    const pdu = await deps.signByPolicy(roomNid, own);
    const parsed = parsePdu(rules, pdu);
    if (parsed.kind === 'reject') throw new MatrixError('request.bad-json', { message: parsed.reason });
    const { eventId } = parsed;
    const told = await deps.tellState(roomNid, [['m.room.member', sender]]);
    const answer = await askServer(server, { rules, roomId, eventId, pdu, told });
    const [signed] = await deps.checkPdus(rules, [isJsonObject(answer) ? answer : pdu]);
    if (signed?.kind !== 'ok' || signed.event.eventId !== eventId) throw new MatrixError('federation.failed');
    const outcome = await deps.ingest(room, signed, signer.serverName);
    if (outcome.kind === 'rejected' || outcome.kind === 'soft-failed') {
      throw new MatrixError('forbidden', { message: outcome.reason });
    }
    return eventId;
  };
}
