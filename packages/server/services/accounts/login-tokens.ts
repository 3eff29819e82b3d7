import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { addLoginToken } from '@portico/storage/stores/accounts/login-tokens.ts';
import { findProviderSession, type ProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { hashToken, newAccessToken } from './access-tokens.ts';
import type { OwnPassword } from './own-password.ts';
import { writeCameWith } from './redeem-login-token.ts';
import type { Sender } from './sender.ts';
import type { AuthData } from './uia.ts';

export type LoginToken = { readonly login_token: string; readonly expires_in_ms: number };

/**
 * Tokens with which somebody who is logged in logs in on another device.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token}
 */
export interface LoginTokens {
  /** Whoever gets in by it came as the device did: a provider that ends its session ends both. */
  issue(sender: Sender, auth: AuthData | undefined): Promise<LoginToken>;
  /** Adds a token to a write set, for somebody who has shown who they are: `cameWith` a session of another service. */
  plan(set: WriteSet, userId: string, cameWith?: ProviderSession): LoginToken;
}

/** "`120000` (2 minutes) is recommended as a default." */
const lifetime = 120_000;

type Dependencies = {
  readonly db: Database;
  readonly ownPassword: OwnPassword;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

export function createLoginTokens({ db, ownPassword, now, randomBytes }: Dependencies): LoginTokens {
  function plan(set: WriteSet, userId: string, cameWith?: ProviderSession): LoginToken {
    const token = newAccessToken(randomBytes);
    const issued = now();
    const row = { hash: hashToken(token), userId, expiresAt: issued + lifetime, cameWith: writeCameWith(cameWith) };
    addLoginToken(set, row, issued);
    return { login_token: token, expires_in_ms: lifetime };
  }

  return {
    plan,
    async issue(sender, auth) {
      const { useUp } = await ownPassword.require(sender, 'log in on another device', auth);
      const set = createWriteSet();
      useUp(set);
      const token = plan(set, sender.userId, await findProviderSession(db, sender.userId, sender.deviceId));
      await db.commit(set);
      return token;
    },
  };
}
