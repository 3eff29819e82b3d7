import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue, parseJson, parseServerName } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { Outbound } from '../outbound/outbound.ts';

export type Identifier = { readonly medium: string; readonly address: string };

/** An identity server, asked in the name of somebody who has agreed to its terms. */
export type IdentityAccess = { readonly server: string; readonly token: string };

export type StoredInvite = {
  readonly token: string;
  readonly displayName: string;
  readonly publicKeys: readonly JsonObject[];
};

/** Asks identity servers. Rejects with `MatrixError`. */
export interface IdentityClient {
  /** The user ID that belongs to an email address or phone number, if one is known to. */
  find(access: IdentityAccess, identifier: Identifier): Promise<string | undefined>;
  /** Has an invitation kept for whoever turns out to own the address. */
  storeInvite(access: IdentityAccess, invite: Identifier & { room_id: string; sender: string }): Promise<StoredInvite>;
}

const answerLimit = 256 * 1024;
const timeout = 20_000;

/** {@link https://spec.matrix.org/v1.19/identity-service-api/} */
export function createIdentityClient(outbound: Outbound): IdentityClient {
  async function ask({ server, token }: IdentityAccess, method: 'GET' | 'POST', path: string, body?: JsonObject) {
    const name = parseServerName(server);
    if (name === undefined) throw new MatrixError('request.invalid-param', { message: 'id_server is no server name.' });
    const { hostname, port } = new URL(`https://${name}`);
    const host = hostname.replaceAll(/^\[|\]$/g, '');
    try {
      const answer = await outbound.request({
        route: { targets: [{ host, port: Number(port || 443) }], host: name, certificateName: host },
        method,
        path: `/_matrix/identity/v2/${path}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        answerLimit,
        timeout,
        purpose: 'identity',
      });
      const value = parse(answer.body.toString('utf8'));
      if (answer.status === 200 && isJsonObject(value)) return value;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
    }
    throw new MatrixError('federation.failed', { message: 'The identity server did not help.' });
  }

  return {
    async find(access, { medium, address }) {
      const { lookup_pepper: pepper, algorithms } = await ask(access, 'GET', 'hash_details');
      if (typeof pepper !== 'string' || !Array.isArray(algorithms) || !algorithms.includes('sha256')) return undefined;
      const hashed = createHash('sha256').update(`${address} ${medium} ${pepper}`).digest('base64url');
      const { mappings } = await ask(access, 'POST', 'lookup', { addresses: [hashed], algorithm: 'sha256', pepper });
      const userId = isJsonObject(mappings) ? mappings[hashed] : undefined;
      return typeof userId === 'string' ? userId : undefined;
    },
    async storeInvite(access, invite) {
      const { token, display_name: displayName, public_keys: keys } = await ask(access, 'POST', 'store-invite', invite);
      const publicKeys = Array.isArray(keys) ? (keys as readonly JsonValue[]).filter((key) => isJsonObject(key)) : [];
      if (typeof token !== 'string' || typeof displayName !== 'string' || publicKeys.length === 0) {
        throw new MatrixError('federation.failed', { message: 'The identity server did not help.' });
      }
      return { token, displayName, publicKeys };
    },
  };
}

function parse(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
