import { type JsonObject, type JsonValue, parseJson, type RoomVersionRules, type ServerName } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { invite, inviteV1 } from '../../../federation-api/inviting.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';

/** As MSC4155 and MSC4380 write it. */
const unstablyBlocked: ReadonlySet<string | undefined> = new Set([
  'ORG.MATRIX.MSC4155.M_INVITE_BLOCKED',
  'ORG.MATRIX.MSC4155.INVITE_BLOCKED',
]);

/** As the spec has it, and as Synapse says it. */
const unknownVersion: ReadonlySet<string | undefined> = new Set([
  'M_INCOMPATIBLE_ROOM_VERSION',
  'M_UNSUPPORTED_ROOM_VERSION',
]);

export type InvitationToSign = {
  readonly rules: RoomVersionRules;
  readonly roomId: string;
  readonly eventId: string;
  readonly pdu: JsonObject;
  /** What the invited person may see of the room, as texts of whole events. */
  readonly told: readonly string[];
};

/** Has the server of an invited person sign the invitation. Gives the event as it is signed; throws `MatrixError`. */
export function createAskInvitedServer(
  client: FederationClient,
): (server: ServerName, invitation: InvitationToSign) => Promise<JsonValue> {
  async function ask(server: ServerName, { rules, roomId, eventId, pdu, told }: InvitationToSign): Promise<JsonValue> {
    const roomState = parseJson(`[${told.join(',')}]`, 'lenient') as unknown as JsonObject[];
    const params = { roomId, eventId };
    try {
      const body = { event: pdu, room_version: rules.version, invite_room_state: roomState };
      return (await client.call(invite, server, { params, body })).event;
    } catch (error) {
      if (!isUnknownEndpoint(error) || rules.event.eventId !== 'explicit') throw error;
      const body = { ...pdu, unsigned: { invite_room_state: roomState } };
      const [, answer] = await client.call(inviteV1, server, { params, body });
      return (answer as { readonly event?: JsonValue }).event ?? null;
    }
  }

  return async (server, invitation) => {
    try {
      return await ask(server, invitation);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      const message = error.refusal?.error;
      const options = message === undefined ? {} : { message };
      if (error.refusal?.errcode === 'M_FORBIDDEN') throw new MatrixError('forbidden', options);
      if (error.refusal?.errcode === 'M_INVITE_BLOCKED') throw new MatrixError('invite.blocked');
      if (unstablyBlocked.has(error.refusal?.errcode)) throw new MatrixError('invite.blocked-unstable');
      if (unknownVersion.has(error.refusal?.errcode)) {
        throw new MatrixError('room.unsupported-version', {
          message: 'The server of the invited person does not support the version of this room.',
        });
      }
      throw new MatrixError('federation.failed');
    }
  };
}

/**
 * > Senders which receive a 400 or 404 response to this endpoint should retry using the v1 API as the server may be older,
 * > if the room version is "1" or "2".
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid}
 */
function isUnknownEndpoint(error: unknown): boolean {
  const status = error instanceof FederationError ? error.refusal?.status : undefined;
  return status === 400 || status === 404;
}
