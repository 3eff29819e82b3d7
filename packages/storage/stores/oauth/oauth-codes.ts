import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A code with which a client gets in, once. */
export type OAuthCodeRow = {
  readonly client_id: string;
  readonly user_id: string;
  readonly device_id: string;
  readonly scope: string;
  readonly redirect_uri: string;
  readonly code_challenge: string;
  /** The session of another service by which they came, as JSON. */
  readonly came_with: string | null;
  readonly used_at: number | null;
  readonly expires_at: number;
};

const selectCode = sql<OAuthCodeRow, [codeHash: string]>(
  'oauth-codes.get',
  `select client_id, user_id, device_id, scope, redirect_uri, code_challenge, came_with, used_at, expires_at
   from oauth_codes where code_hash = $1`,
);

export function findOAuthCode(reader: Reader, codeHash: string): Promise<OAuthCodeRow | undefined> {
  return reader.get(selectCode, [codeHash]);
}

const deleteExpired = sql<void, [now: number]>(
  'oauth-codes.delete-expired',
  'delete from oauth_codes where expires_at <= $1',
);
const insertCode = sql<
  void,
  [
    codeHash: string,
    clientId: string,
    userId: string,
    deviceId: string,
    scope: string,
    redirectUri: string,
    codeChallenge: string,
    expiresAt: number,
    cameWith: string | null,
  ]
>(
  'oauth-codes.insert',
  `insert into oauth_codes
     (code_hash, client_id, user_id, device_id, scope, redirect_uri, code_challenge, used_at, expires_at, came_with)
   values ($1, $2, $3, $4, $5, $6, $7, null, $8, $9)`,
);

/** Also clears away what has expired. */
export function addOAuthCode(set: WriteSet, codeHash: string, code: Omit<OAuthCodeRow, 'used_at'>, now: number): void {
  set.add(deleteExpired, [now]);
  const { client_id: clientId, user_id: userId, device_id: deviceId, scope, expires_at: expiresAt } = code;
  const { redirect_uri: redirectUri, code_challenge: challenge, came_with: cameWith } = code;
  set.add(insertCode, [codeHash, clientId, userId, deviceId, scope, redirectUri, challenge, expiresAt, cameWith]);
}

const useCode = sql<void, [codeHash: string, now: number, keptUntil: number]>(
  'oauth-codes.use',
  `update oauth_codes set used_at = $2, expires_at = $3
   where code_hash = $1 and used_at is null and expires_at > $2`,
);

/** Uses a code up, and remembers it for a while. Fails on the guard `oauth.code-used`. */
export function useOAuthCode(set: WriteSet, codeHash: string, now: number, keptUntil: number): void {
  set.guard('oauth.code-used', 1, useCode, [codeHash, now, keptUntil]);
}

const deleteOfUser = sql<void, [userId: string]>(
  'oauth-codes.delete-all',
  'delete from oauth_codes where user_id = $1',
);

export function removeOAuthCodes(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
