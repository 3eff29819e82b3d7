import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type AccountRow = {
  readonly user_id: string;
  readonly password_hash: string | null;
  readonly is_admin: number;
  readonly user_type: string | null;
  readonly created_at: number;
  readonly deactivated_at: number | null;
};

const selectAccount = sql<AccountRow, [userId: string]>(
  'accounts.get',
  `select user_id, password_hash, is_admin, user_type, created_at, deactivated_at from accounts where user_id = $1`,
);

export function findAccount(reader: Reader, userId: string): Promise<AccountRow | undefined> {
  return reader.get(selectAccount, [userId]);
}

/** What an access token stands for. */
export type TokenRow = {
  readonly user_id: string;
  readonly device_id: string;
  readonly expires_at: number | null;
  /** The refresh token it came of, if it was not used yet. */
  readonly replaces_token_hash: string | null;
  readonly is_admin: number;
  readonly locked: number;
  readonly suspended: number;
  readonly deactivated_at: number | null;
  /** Of the app that is logged in with OAuth 2.0, if the device is one's. */
  readonly scope: string | null;
};

const selectToken = sql<TokenRow, [tokenHash: string]>(
  'access-tokens.get',
  `select access_tokens.user_id, access_tokens.device_id, access_tokens.expires_at,
     access_tokens.replaces_token_hash, accounts.is_admin, accounts.locked, accounts.suspended, accounts.deactivated_at,
     oauth_sessions.scope
   from access_tokens join accounts on accounts.user_id = access_tokens.user_id
   left join oauth_sessions on oauth_sessions.user_id = access_tokens.user_id
     and oauth_sessions.device_id = access_tokens.device_id
   where access_tokens.token_hash = $1`,
);

export function findAccessToken(reader: Reader, tokenHash: string): Promise<TokenRow | undefined> {
  return reader.get(selectToken, [tokenHash]);
}
