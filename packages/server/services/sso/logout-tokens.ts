import type { JWTPayload, RemoteJWKSet } from 'jose';
import type { CustomFetch, ServerMetadata } from 'openid-client';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Logger } from '../../observability/logger.ts';
import { WrongAnswer } from './provider-failure.ts';
import { isSubject, parseSessionId } from './provider-names.ts';

/** Whom a provider has logged out: of the session `sid`, or of all those of the person. */
export type LogoutToken = { readonly id: string; readonly subject?: string; readonly sid?: string };

export interface LogoutTokens {
  /** Throws `sso.bad-logout-token` for what is none of the provider for this server. */
  read(token: string, metadata: ServerMetadata): Promise<LogoutToken>;
}

type Dependencies = {
  readonly provider: IdentityProvider;
  readonly ask: CustomFetch;
  readonly log: Logger;
  readonly now: () => number;
};

/** In seconds: how old a token may be, which is given at once. */
export const longestOnTheWay = 600;
/** In seconds, by which two clocks may differ. */
const tolerance = 30;
const event = 'http://schemas.openid.net/event/backchannel-logout';

/** {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation} */
export function createLogoutTokens({ provider, ask, log, now }: Dependencies): LogoutTokens {
  let known: { readonly from: string; readonly keys: RemoteJWKSet } | undefined;

  async function keysOf({ jwks_uri: from }: ServerMetadata): Promise<RemoteJWKSet> {
    if (from === undefined) throw new WrongAnswer('NO_KEYS');
    if (known?.from === from) return known.keys;
    const jose = await import('jose');
    const keys = jose.createRemoteJWKSet(new URL(from), {
      [jose.customFetch]: (url, { headers, signal }) =>
        ask(url, { method: 'GET', headers: Object.fromEntries(headers), body: undefined, redirect: 'manual', signal }),
    });
    known = { from, keys };
    return keys;
  }

  return {
    async read(token, metadata) {
      const { jwtVerify } = await import('jose');
      const keys = await keysOf(metadata);
      try {
        const { payload, protectedHeader } = await jwtVerify(token, keys, {
          issuer: metadata.issuer,
          audience: provider.clientId,
          algorithms: algorithmsOf(metadata),
          clockTolerance: tolerance,
          maxTokenAge: longestOnTheWay,
          currentDate: new Date(now()),
          requiredClaims: ['exp', 'jti', 'events'],
        });
        return readClaims(payload, protectedHeader.typ, provider.clientId);
      } catch (error) {
        const reason = reasonOf(error);
        if (reason === undefined) throw error;
        log.info({ provider: provider.id, reason }, 'a logout token was refused');
        throw new MatrixError('sso.bad-logout-token');
      }
    },
  };
}

/** > otherwise, the value SHOULD be the default of RS256. Additionally, an `alg` with the value `none` MUST NOT be used */
function algorithmsOf({ id_token_signing_alg_values_supported: supported }: ServerMetadata): string[] {
  return (supported ?? ['RS256']).filter((each) => /^(?:RS|PS|ES)(?:256|384|512)$|^(?:EdDSA|Ed25519)$/.test(each));
}

/** Why a token is not believed. */
class Disbelief extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super('A logout token says what it should not');
    this.reason = reason;
  }
}

function readClaims(payload: JWTPayload, type: string | undefined, clientId: string): LogoutToken {
  const { aud, azp, jti, sub, sid, events, nonce } = payload as JWTPayload & Readonly<Record<string, unknown>>;
  const isTyped = type === undefined || /^(?:application\/)?(?:logout\+jwt|jwt)$/i.test(type);
  if (!isTyped) throw new Disbelief('type');
  // As ID tokens: one that is for others as well is believed only if it was made for this one.
  if (Array.isArray(aud) && aud.length > 1 && azp !== clientId) throw new Disbelief('audience');
  // > Verify that the Logout Token does not contain a `nonce` Claim.
  if (nonce !== undefined) throw new Disbelief('nonce');
  if (!isObject(events) || !Object.hasOwn(events, event) || !isObject(events[event])) throw new Disbelief('events');
  if (typeof jti !== 'string' || jti === '') throw new Disbelief('jti');
  if (sub !== undefined && !isSubject(sub)) throw new Disbelief('sub');
  const session = parseSessionId(sid);
  if (sid !== undefined && session === undefined) throw new Disbelief('sid');
  // > Verify that the Logout Token contains a `sub` Claim, a `sid` Claim, or both.
  if (sub === undefined && session === undefined) throw new Disbelief('nobody');
  return { id: jti, ...(sub !== undefined && { subject: sub }), ...(session !== undefined && { sid: session }) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the library calls what is wrong with a token; what is wrong with the provider is no matter of the token. */
const aboutTokens: ReadonlySet<unknown> = new Set([
  'ERR_JWT_INVALID',
  'ERR_JWT_EXPIRED',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWS_INVALID',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
]);

function reasonOf(error: unknown): string | undefined {
  if (error instanceof Disbelief) return error.reason;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && aboutTokens.has(code) ? code : undefined;
}
