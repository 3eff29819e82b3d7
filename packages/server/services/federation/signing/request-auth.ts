import {
  canonicalParts,
  decodeBase64,
  JsonError,
  type JsonValue,
  maxCarriedDepth,
  parseServerName,
  type ServerName,
  type VerifyKey,
} from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { createPacer } from '../../pacer.ts';
import { isKeyCurrent } from '../keys/known-keys.ts';
import { addressKey } from '../../rate-limit/rate-limiter.ts';
import type { ServerKeys } from '../keys/server-keys.ts';
import { isKeyId } from './key-id.ts';
import { requestText } from './request-text.ts';
import { verifySignature } from './verify.ts';
import { isXMatrix, parseXMatrix, type XMatrix } from './x-matrix.ts';

/** Who a request says it is from, before that is proved. */
export type Claim = {
  readonly origin: ServerName;
  readonly destination: string | undefined;
  /** Encoded signatures by key ID. */
  readonly signatures: ReadonlyMap<string, string>;
};

export type RequestToVerify = {
  readonly method: string;
  /** As it was received, query string included. */
  readonly uri: string;
  /** The parsed body with its numbers as they were spelled; `undefined` where there is none. */
  readonly content: JsonValue | undefined;
  /** The address that it came from. */
  readonly ip: string;
};

/** Authenticates other servers. Refuses with `MatrixError`. */
export interface RequestAuth {
  /** Reads the `Authorization` headers, before the body is read. */
  admit(headers: readonly string[]): Claim;
  verify(claim: Claim, request: RequestToVerify): Promise<ServerName>;
}

type Dependencies = {
  readonly serverName: ServerName;
  readonly keys: Pick<ServerKeys, 'find'>;
  readonly now: () => number;
};

/** In milliseconds: a request does not wait for longer until its server can be asked for its keys. */
const patience = 10_000;
/** Each could be by another key; nobody has more. */
const mostSignatures = 5;

function parseAll(headers: readonly string[]): readonly XMatrix[] {
  const ours = headers.filter(isXMatrix);
  if (ours.length === 0) throw new MatrixError('server-auth.missing');
  if (ours.length > mostSignatures) throw new MatrixError('server-auth.malformed');
  return ours.map((header) => {
    const parsed = parseXMatrix(header);
    if (parsed === undefined || !isKeyId(parsed.keyId)) throw new MatrixError('server-auth.malformed');
    return parsed;
  });
}

/** {@link https://spec.matrix.org/v1.19/server-server-api/#request-authentication} */
export function createRequestAuth({ serverName, keys, now }: Dependencies): RequestAuth {
  const pace = createPacer();

  /** A transaction may have many megabytes. */
  async function canonical(content: JsonValue | undefined): Promise<string | undefined> {
    if (content === undefined) return undefined;
    let text = '';
    try {
      for (const part of canonicalParts(content, 'lenient', maxCarriedDepth)) {
        text += part;
        await pace();
      }
    } catch (error) {
      if (error instanceof JsonError) throw new MatrixError('request.bad-json', { message: `${error.message}.` });
      throw error;
    }
    return text;
  }

  return {
    admit(headers) {
      const parsed = parseAll(headers);
      const { origin, destination } = parsed[0] as XMatrix;
      // Whoever reads another one of several headers must read the same.
      if (parsed.some((other) => other.origin !== origin || other.destination !== destination)) {
        throw new MatrixError('server-auth.malformed');
      }
      // "the receiving server must deny the request with an HTTP status code 401 Unauthorized"
      if (destination !== undefined && destination !== serverName) {
        throw new MatrixError('server-auth.wrong-destination');
      }
      const name = parseServerName(origin);
      if (name === undefined) throw new MatrixError('server-auth.malformed');
      // Nobody else has our key, and we do not ask ourselves.
      if (name === serverName) throw new MatrixError('server-auth.own-name');
      return {
        origin: name,
        destination,
        signatures: new Map(parsed.map(({ keyId, signature }) => [keyId, signature])),
      };
    },

    async verify({ origin, destination, signatures }, { method, uri, content, ip }) {
      const at = now();
      const wanted = new Map([[origin, new Map([...signatures.keys()].map((keyId) => [keyId, at]))]]);
      const ring = (await keys.find(wanted, { on: { owner: addressKey(ip), patience } })).get(origin);
      const usable = [...signatures].flatMap(([keyId, signature]): (readonly [VerifyKey, string])[] => {
        const known = ring?.get(keyId);
        return known !== undefined && isKeyCurrent(known, at) ? [[known.key, signature]] : [];
      });
      if (usable.length === 0) throw new MatrixError('server-auth.unknown-key');
      const text = requestText({ method, uri, origin, destination, content: await canonical(content) });
      const verdicts = await Promise.all(
        usable.map(([key, encoded]) =>
          verifySignature({ key, text, signature: decodeBase64(encoded) ?? new Uint8Array() }),
        ),
      );
      if (!verdicts.every(Boolean)) throw new MatrixError('server-auth.wrong-signature');
      return origin;
    },
  };
}
