import { createHash } from 'node:crypto';
import {
  encodeCanonical,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  parseServerName,
} from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ErrorReason } from '../../errors/table.ts';
import type { RequestSigner } from '../federation/signing/sign-request.ts';
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
  /** Publishes that an identifier, which was proved there, is somebody's. What the identity server says against it is thrown. */
  bind(
    access: IdentityAccess,
    binding: { readonly sid: string; readonly client_secret: string; readonly mxid: string },
  ): Promise<Identifier | undefined>;
  /** Ends that. Throws what the identity server says against it, if it says so in terms of Matrix. */
  unbind(server: string, userId: string, identifier: Identifier): Promise<UnbindResult>;
}

/** `no-support`: the identity server does not do this, or cannot be asked. */
export type UnbindResult = 'success' | 'no-support';

const root = '/_matrix/identity/v2/';
const answerLimit = 256 * 1024;
const timeout = 20_000;

/** {@link https://spec.matrix.org/v1.19/identity-service-api/} */
export function createIdentityClient(outbound: Outbound, sign: RequestSigner): IdentityClient {
  type Answer = { readonly status: number; readonly body: JsonObject | undefined };

  /** `undefined` where the server cannot be reached. */
  async function send(
    server: string,
    method: 'GET' | 'POST',
    path: string,
    authorization: string,
    body: JsonObject | undefined,
  ): Promise<Answer | undefined> {
    const name = parseServerName(server);
    const url = name === undefined ? null : URL.parse(`https://${name}`);
    if (name === undefined || url === null) {
      throw new MatrixError('request.invalid-param', { message: 'id_server is no server name.' });
    }
    const { hostname, port } = url;
    const host = hostname.replaceAll(/^\[|\]$/g, '');
    try {
      const answer = await outbound.request({
        route: { targets: [{ host, port: Number(port || 443) }], host: name, certificateName: host },
        method,
        path: root + path,
        headers: { authorization, 'content-type': 'application/json' },
        ...(body !== undefined && { body: encodeCanonical(body, 'lenient') }),
        answerLimit,
        timeout,
        purpose: 'identity',
      });
      const value = parse(answer.body.toString('utf8'));
      return { status: answer.status, body: isJsonObject(value) ? value : undefined };
    } catch (error) {
      if (error instanceof OutboundError) return undefined;
      throw error;
    }
  }

  async function ask({ server, token }: IdentityAccess, method: 'GET' | 'POST', path: string, body?: JsonObject) {
    const answer = await send(server, method, path, `Bearer ${token}`, body);
    if (answer?.status === 200 && answer.body !== undefined) return answer.body;
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
    async bind({ server, token }, binding) {
      const answer = await send(server, 'POST', '3pid/bind', `Bearer ${token}`, binding);
      if (answer?.status !== 200) throw passOn(answer?.status, answer?.body);
      const { medium, address } = answer.body ?? {};
      return typeof medium === 'string' && typeof address === 'string' ? { medium, address } : undefined;
    },
    async unbind(server, userId, { medium, address }) {
      const body = { mxid: userId, threepid: { medium, address } };
      const content = encodeCanonical(body);
      const uri = `${root}3pid/unbind`;
      const signed = sign({ method: 'POST', uri, destination: server, content });
      const answer = await send(server, 'POST', '3pid/unbind', signed, body);
      if (answer?.status === 200) return 'success';
      if (typeof answer?.body?.['errcode'] === 'string') throw passOn(answer.status, answer.body);
      // "If the response body is not a JSON Matrix error, the identity server does not support unbinds."
      return 'no-support';
    },
  };
}

const reasons: Readonly<Record<number, ErrorReason>> = {
  400: 'identity.refused',
  401: 'identity.forbidden',
  403: 'identity.forbidden',
  404: 'identity.not-found',
};

/** "Homeservers should simply proxy any errors received by the identity server to the caller." */
function passOn(status: number | undefined, body: JsonObject | undefined): MatrixError {
  const { errcode, error } = body ?? {};
  const reason = status === undefined ? undefined : reasons[status];
  if (reason === undefined || typeof errcode !== 'string' || !/^[A-Z0-9_.]{1,255}$/.test(errcode)) {
    return new MatrixError('federation.failed', { message: 'The identity server did not help.' });
  }
  const message = typeof error === 'string' ? error.slice(0, 500) : 'The identity server refused this.';
  return new MatrixError(reason, { message, fields: { errcode } });
}

function parse(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
