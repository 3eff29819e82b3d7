import { createHash, timingSafeEqual } from 'node:crypto';
import { createWriteSet, type Database } from '@portico/storage';
import { revokeSession } from '@portico/storage/stores/accounts/accounts-refresh.ts';
import { findOAuthCode, type OAuthCodeRow, useOAuthCode } from '@portico/storage/stores/oauth/oauth-codes.ts';
import { findOAuthSession } from '@portico/storage/stores/oauth/oauth-sessions.ts';
import { findRefusal } from '../../errors/from-storage.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import { readCameWith } from '../accounts/redeem-login-token.ts';
import { requireOpenAccount } from '../sso/standing.ts';
import type { OAuthClients } from './clients.ts';
import type { OpenSession, TokenAnswer } from './open-session.ts';
import { type Parameters, requireParameter } from './parameters.ts';

/** How long the second use of a code is noticed. */
const rememberUsed = 24 * 60 * 60 * 1000;

const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/;

type Dependencies = {
  readonly db: Database;
  readonly clients: OAuthClients;
  readonly openSession: OpenSession;
  readonly now: () => number;
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#authorisation-code-grant} */
export function createCodeGrant({ db, clients, openSession, now }: Dependencies) {
  /**
   * > If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke (when
   * > possible) all tokens previously issued based on that authorization code.
   *
   * {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2}
   */
  async function takeBack({ user_id: userId, device_id: deviceId }: OAuthCodeRow, codeHash: string): Promise<void> {
    const session = await findOAuthSession(db, userId, deviceId);
    if (session?.grant_hash !== codeHash) return;
    const set = createWriteSet();
    revokeSession(set, userId, deviceId);
    await db.commit(set);
  }

  return async (parameters: Parameters): Promise<TokenAnswer> => {
    const client = await clients.require(parameters.get('client_id'), 'authorization_code');
    const codeHash = hashToken(requireParameter(parameters, 'code'));
    const redirectUri = requireParameter(parameters, 'redirect_uri');
    const verifier = requireParameter(parameters, 'code_verifier');
    const code = await findOAuthCode(db, codeHash);
    if (code === undefined || code.client_id !== client.id) throw new MatrixError('oauth.invalid-grant');
    if (code.used_at !== null) await takeBack(code, codeHash);
    const isGood = code.used_at === null && code.expires_at > now() && code.redirect_uri === redirectUri;
    if (!isGood || !verifies(verifier, code.code_challenge)) throw new MatrixError('oauth.invalid-grant');
    const { user_id: userId, device_id: deviceId, scope } = code;
    try {
      await requireOpenAccount(db, userId);
      const set = createWriteSet();
      useOAuthCode(set, codeHash, now(), now() + rememberUsed);
      const cameWith = readCameWith(code.came_with);
      const answer = await openSession(set, { client, userId, deviceId, scope, grantHash: codeHash, cameWith });
      await db.commit(set);
      return answer;
    } catch (error) {
      if (isGuardFailure(error, 'oauth.code-used')) await takeBack(code, codeHash);
      throw withoutAccount(error);
    }
  };
}

/** {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.6} */
function verifies(verifier: string, challenge: string): boolean {
  if (!verifierForm.test(verifier)) return false;
  const given = createHash('sha256').update(verifier).digest();
  const wanted = Buffer.from(challenge, 'base64url');
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

const gone: ReadonlySet<string> = new Set([
  'oauth.code-used',
  'user.deactivated',
  'user.locked',
  'sso.no-account',
  'sso.logged-out',
]);

/** What a client is told where somebody was let in and has no account any more, or is logged out: the code is good for nothing. */
export function withoutAccount(error: unknown): unknown {
  const reason = isGuardFailure(error, 'oauth.code-used') ? 'oauth.code-used' : findRefusal(error)?.reason;
  return reason !== undefined && gone.has(reason) ? new MatrixError('oauth.invalid-grant') : error;
}
