import { type EventSigner, type JsonObject, parseServerName, serverNameOf, type ServerName } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Logger } from '../../../observability/logger.ts';
import { FederationError, type Refusal } from '../client/federation-error.ts';
import { toldCode } from '../client/told-code.ts';

/** Another server has answered with something that cannot be true, or of no use. */
export class UnusableAnswer extends Error {
  override readonly name = 'UnusableAnswer';
}

/** Servers that are tried one after the other. */
export const maxServers = 10;

/**
 * Servers that may help with a room, the likeliest first. Where none are known, the ID of most rooms names one: the server
 * that created it need not be in it any more.
 */
export function candidateServers(
  roomId: string,
  named: readonly (string | undefined)[],
  { serverName }: Pick<EventSigner, 'serverName'>,
): readonly ServerName[] {
  const others = otherServers(named, serverName);
  return others.length > 0 ? others : otherServers([serverNameOf(roomId)], serverName);
}

function otherServers(names: readonly (string | undefined)[], serverName: string): readonly ServerName[] {
  const servers = names.map((name) => parseServerName(name ?? '')).filter((name) => name !== undefined);
  return [...new Set(servers)].filter((name) => name !== serverName).slice(0, maxServers);
}

/**
 * Tries servers until one does it, and says which. What one of them refuses, another may grant: the last refusal counts
 * only if nobody helps.
 */
export async function throughAny<T>(
  servers: readonly ServerName[],
  attempt: (server: ServerName) => Promise<T>,
  log: Logger,
): Promise<{ readonly server: ServerName; readonly value: T }> {
  let refusal: MatrixError | undefined;
  for (const server of servers) {
    try {
      return { server, value: await attempt(server) };
    } catch (error) {
      if (!(error instanceof FederationError) && !(error instanceof UnusableAnswer)) throw error;
      log.info({ server, reason: error.message }, 'A server did not help with a room');
      refusal = refusalOf(error) ?? refusal;
    }
  }
  throw refusal ?? new MatrixError(servers.length === 0 ? 'room.not-found' : 'federation.failed');
}

function refusalOf(error: FederationError | UnusableAnswer): MatrixError | undefined {
  const refusal = error instanceof FederationError ? error.refusal : undefined;
  const message = refusal?.error === undefined ? {} : { message: refusal.error };
  switch (refusal?.errcode ?? '') {
    case 'M_FORBIDDEN':
    case 'M_UNABLE_TO_AUTHORISE_JOIN':
    case 'M_UNABLE_TO_GRANT_JOIN':
      return new MatrixError('forbidden', message);
    case 'M_NOT_FOUND':
      return new MatrixError('room.not-found', message);
    case 'M_INCOMPATIBLE_ROOM_VERSION':
      return new MatrixError('room.incompatible-version', {
        message: 'This server does not support the version of this room.',
        fields: { room_version: versionIn(refusal?.body) },
      });
    default:
      return passedOn(refusal);
  }
}

function versionIn(body: JsonObject | undefined): string {
  const version = body?.['room_version'];
  return typeof version === 'string' && version.length <= longestVersion ? version : '1';
}

/** {@link https://spec.matrix.org/v1.19/rooms/#room-version-grammar} */
const longestVersion = 32;

/** "The error should be passed through to clients so that they may give better feedback to users." */
function passedOn(refusal: Refusal | undefined): MatrixError | undefined {
  const errcode = toldCode(refusal?.errcode);
  if (refusal?.status !== 400 || errcode === undefined) return undefined;
  const { error } = refusal;
  return new MatrixError('federation.refused', { ...(error !== undefined && { message: error }), fields: { errcode } });
}
