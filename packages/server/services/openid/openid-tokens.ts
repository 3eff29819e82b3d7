import { createWriteSet, type Database } from '@portico/storage';
import { addOpenIdToken, findOpenIdOwner } from '@portico/storage/stores/accounts/openid-tokens.ts';
import { hashToken, newAccessToken } from '../accounts/access-tokens.ts';

export type OpenIdToken = {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly matrix_server_name: string;
  /** Seconds. */
  readonly expires_in: number;
};

/**
 * Tokens that are good for nothing but learning whose they are.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#openid}
 */
export interface OpenIdTokens {
  issue(userId: string): Promise<OpenIdToken>;
  /** Whose a token is, while it is valid. */
  findOwner(token: string): Promise<string | undefined>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

const lifetimeSeconds = 3600;

export function createOpenIdTokens({ db, serverName, now, randomBytes }: Dependencies): OpenIdTokens {
  return {
    async issue(userId) {
      const token = newAccessToken(randomBytes);
      const set = createWriteSet();
      const issued = now();
      const expiresAt = issued + lifetimeSeconds * 1000;
      addOpenIdToken(set, { hash: hashToken(token), userId, expiresAt }, issued);
      await db.commit(set);
      return {
        access_token: token,
        token_type: 'Bearer',
        matrix_server_name: serverName,
        expires_in: lifetimeSeconds,
      };
    },
    findOwner: (token) => findOpenIdOwner(db, hashToken(token), now()),
  };
}
