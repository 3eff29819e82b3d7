import { isForAdministering } from '@portico/protocol/oauth/scope.ts';
import type { Reader, WriteSet } from '@portico/storage';
import { findModerated } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { addProviderSession, type ProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { addOAuthSession } from '@portico/storage/stores/oauth/oauth-sessions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Session, Sessions } from '../accounts/sessions.ts';
import type { OAuthClient } from './clients.ts';
import { showClient } from './wish.ts';

/** {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1} */
export type TokenAnswer = {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly scope: string;
};

export type Grant = {
  readonly client: OAuthClient;
  readonly userId: string;
  readonly deviceId: string;
  readonly scope: string;
  readonly grantHash: string;
  /** By which session of another service the person came. */
  readonly cameWith: ProviderSession | undefined;
};

/** Adds to a write set what logs a client in: a session and a device like any other, and which client it is. Throws `oauth.invalid-grant` for what they may not let in. */
export type OpenSession = (set: WriteSet, grant: Grant) => Promise<TokenAnswer>;

type Dependencies = { readonly db: Reader; readonly sessions: Sessions; readonly now: () => number };

export function createOpenSession({ db, sessions, now }: Dependencies): OpenSession {
  /** Who let it in may have ceased to be an administrator since. */
  async function requirePower({ userId, scope }: Grant): Promise<void> {
    if (isForAdministering(scope) && (await findModerated(db, userId))?.is_admin !== 1) {
      throw new MatrixError('oauth.invalid-grant');
    }
  }

  async function planLogin(set: WriteSet, { client, userId, deviceId }: Grant): Promise<Session> {
    try {
      return await sessions.planLogin(set, userId, {
        device_id: deviceId,
        initial_device_display_name: showClient(client).name,
        refresh_token: true,
      });
    } catch (error) {
      // A key of theirs has the name that the client chose for its device.
      if (!(error instanceof MatrixError) || error.reason !== 'request.invalid-param') throw error;
      throw new MatrixError('oauth.invalid-scope', { message: error.message });
    }
  }

  return async (set, grant) => {
    await requirePower(grant);
    const session = await planLogin(set, grant);
    const { client, userId, deviceId, scope, grantHash, cameWith } = grant;
    addOAuthSession(set, { userId, deviceId, clientId: client.id, scope, grantHash, createdAt: now() });
    if (cameWith !== undefined) addProviderSession(set, { userId, deviceId }, cameWith);
    const { access_token: accessToken, refresh_token: refreshToken = '', expires_in_ms: lasts = 0 } = session;
    return answerOf({ accessToken, refreshToken, lasts, scope });
  };
}

type Tokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** In milliseconds. */
  readonly lasts: number;
  readonly scope: string;
};

export function answerOf({ accessToken, refreshToken, lasts, scope }: Tokens): TokenAnswer {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: Math.floor(lasts / 1000),
    refresh_token: refreshToken,
    scope,
  };
}
