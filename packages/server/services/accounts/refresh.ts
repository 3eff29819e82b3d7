import { createWriteSet, type Database } from '@portico/storage';
import {
  exchangeRefreshToken,
  findRefreshToken,
  revokeSession,
} from '@portico/storage/stores/accounts/accounts-refresh.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken, newAccessToken } from './access-tokens.ts';
import { isGuardFailure } from './guards.ts';
import { accessTokenLifetime } from './sessions.ts';

export type Refreshed = {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in_ms: number;
};

export interface Refresh {
  /** Throws `token.unknown`. */
  refresh(refreshToken: string): Promise<Refreshed>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

/** How long the use of a revoked refresh token is noticed. */
const rememberRevoked = 30 * 24 * 60 * 60 * 1000;

/** How often an exchange is tried again because another process was faster with the same token. */
const maxTries = 5;

/**
 * {@link https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens}
 *
 * A refresh token that was revoked is somebody's copy, the client's own or a thief's; nobody can tell whose the newer
 * tokens are. So all of the device's tokens end, and its owner logs in again (RFC 9700, section 4.14.2).
 */
export function createRefresh({ db, now, randomBytes }: Dependencies): Refresh {
  async function tryExchange(oldHash: string): Promise<Refreshed> {
    const old = await findRefreshToken(db, oldHash);
    if (old === undefined || old.deactivated_at !== null) throw refusal(false);
    const set = createWriteSet();
    if (old.revoked_at !== null) {
      revokeSession(set, old.user_id, old.device_id);
      await db.commit(set);
      throw refusal(true);
    }
    const accessToken = newAccessToken(randomBytes);
    const refreshToken = newAccessToken(randomBytes);
    const at = now();
    const next = {
      tokenHash: hashToken(refreshToken),
      accessTokenHash: hashToken(accessToken),
      expiresAt: at + accessTokenLifetime,
    };
    exchangeRefreshToken(set, old, next, { now: at, keepRevokedAfter: at - rememberRevoked });
    await db.commit(set);
    return { access_token: accessToken, refresh_token: refreshToken, expires_in_ms: accessTokenLifetime };
  }

  async function exchange(oldHash: string): Promise<Refreshed> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await tryExchange(oldHash);
      } catch (error) {
        if (!isGuardFailure(error, 'refresh-token.changed') || tries === maxTries) throw error;
      }
    }
  }

  /** By the token. Each exchange ends what the one before has given: who asks at the same time is given the same. */
  const underWay = new Map<string, Promise<Refreshed>>();

  return {
    refresh(refreshToken) {
      const oldHash = hashToken(refreshToken);
      const asked = underWay.get(oldHash) ?? exchange(oldHash).finally(() => underWay.delete(oldHash));
      underWay.set(oldHash, asked);
      return asked;
    },
  };
}

/** `softLogout`: the device is still there, and can be logged in to again. */
function refusal(softLogout: boolean): MatrixError {
  return new MatrixError('token.unknown', {
    message: 'The refresh token is not known, or has been used.',
    fields: { soft_logout: softLogout },
  });
}
