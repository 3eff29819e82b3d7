import { isSameScope } from '@portico/protocol/oauth/scope.ts';
import type { Reader } from '@portico/storage';
import { findRefreshToken } from '@portico/storage/stores/accounts/accounts-refresh.ts';
import { findOAuthSession } from '@portico/storage/stores/oauth/oauth-sessions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import type { Refresh, Refreshed } from '../accounts/refresh.ts';
import type { OAuthClients } from './clients.ts';
import { answerOf, type TokenAnswer } from './open-session.ts';
import { type Parameters, requireParameter } from './parameters.ts';

type Dependencies = { readonly db: Reader; readonly clients: OAuthClients; readonly refresh: Refresh };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#refresh-token-grant} */
export function createRefreshGrant({ db, clients, refresh }: Dependencies) {
  async function exchange(token: string): Promise<Refreshed> {
    try {
      return await refresh.refresh(token);
    } catch (error) {
      if (error instanceof MatrixError && error.reason === 'token.unknown') {
        throw new MatrixError('oauth.invalid-grant', { message: error.message });
      }
      throw error;
    }
  }

  return async (parameters: Parameters): Promise<TokenAnswer> => {
    const client = await clients.require(parameters.get('client_id'), 'refresh_token');
    const token = requireParameter(parameters, 'refresh_token');
    const row = await findRefreshToken(db, hashToken(token));
    const session = row && (await findOAuthSession(db, row.user_id, row.device_id));
    // Before anything is done with it: another client's token stays good for that one.
    if (session?.client_id !== client.id) throw new MatrixError('oauth.invalid-grant');
    const { scope } = session;
    if (!isSameScope(parameters.get('scope') ?? scope, scope)) throw new MatrixError('oauth.invalid-scope');
    const { access_token: accessToken, refresh_token: refreshToken, expires_in_ms: lasts } = await exchange(token);
    return answerOf({ accessToken, refreshToken, lasts, scope });
  };
}
