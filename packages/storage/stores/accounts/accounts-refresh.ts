import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type RefreshTokenRow = {
  readonly token_hash: string;
  readonly user_id: string;
  readonly device_id: string;
  /** The access token that came with it. */
  readonly access_token_hash: string;
  /** The refresh token that it was last exchanged for. */
  readonly next_token_hash: string | null;
  readonly revoked_at: number | null;
  readonly deactivated_at: number | null;
};

const selectToken = sql<RefreshTokenRow, [tokenHash: string]>(
  'refresh-tokens.get',
  `select t.token_hash, t.user_id, t.device_id, t.access_token_hash, t.next_token_hash, t.revoked_at, a.deactivated_at
   from refresh_tokens t join accounts a on a.user_id = t.user_id where t.token_hash = $1`,
);

export function findRefreshToken(reader: Reader, tokenHash: string): Promise<RefreshTokenRow | undefined> {
  return reader.get(selectToken, [tokenHash]);
}

const insertRefresh = sql<void, [tokenHash: string, userId: string, deviceId: string, accessTokenHash: string]>(
  'refresh-tokens.insert',
  `insert into refresh_tokens (token_hash, user_id, device_id, access_token_hash) values ($1, $2, $3, $4)`,
);

type NewRefreshToken = {
  readonly tokenHash: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessTokenHash: string;
};

export function addRefreshToken(set: WriteSet, token: NewRefreshToken): void {
  set.add(insertRefresh, [token.tokenHash, token.userId, token.deviceId, token.accessTokenHash]);
}

const exchange = sql<void, [tokenHash: string, next: string, before: string | null]>(
  'refresh-tokens.exchange',
  `update refresh_tokens set next_token_hash = $2
   where token_hash = $1 and revoked_at is null and next_token_hash is not distinct from cast($3 as text)`,
);
const deleteUnused = sql<void, [tokenHash: string]>(
  'refresh-tokens.delete-unused',
  'delete from refresh_tokens where token_hash = $1',
);
const deleteUnusedAccess = sql<void, [userId: string, deviceId: string, replaces: string]>(
  'access-tokens.delete-unused',
  'delete from access_tokens where user_id = $1 and device_id = $2 and replaces_token_hash = $3',
);
const revokeBefore = sql<void, [userId: string, deviceId: string, next: string, now: number]>(
  'refresh-tokens.revoke-before',
  `update refresh_tokens set revoked_at = $4
   where user_id = $1 and device_id = $2 and next_token_hash = $3 and revoked_at is null`,
);
const settleAccess = sql<void, [tokenHash: string]>(
  'access-tokens.settle',
  'update access_tokens set replaces_token_hash = null where token_hash = $1',
);
const deleteOlder = sql<void, [userId: string, deviceId: string, kept: string]>(
  'access-tokens.delete-older',
  'delete from access_tokens where user_id = $1 and device_id = $2 and token_hash <> $3',
);
const insertAccess = sql<
  void,
  [tokenHash: string, userId: string, deviceId: string, createdAt: number, expiresAt: number, replaces: string]
>(
  'access-tokens.insert-refreshed',
  `insert into access_tokens (token_hash, user_id, device_id, created_at, expires_at, replaces_token_hash)
   values ($1, $2, $3, $4, $5, $6)`,
);
const forgetRevoked = sql<void, [userId: string, deviceId: string, revokedBefore: number]>(
  'refresh-tokens.forget-revoked',
  'delete from refresh_tokens where user_id = $1 and device_id = $2 and revoked_at < $3',
);

/**
 * Exchanges a refresh token for new tokens. What it was exchanged for before, and nobody used, is gone; so is what came
 * before itself, for it has been used now. Fails on the guard `refresh-token.changed` if another request was faster.
 */
export function exchangeRefreshToken(
  set: WriteSet,
  old: RefreshTokenRow,
  next: { readonly tokenHash: string; readonly accessTokenHash: string; readonly expiresAt: number },
  times: { readonly now: number; readonly keepRevokedAfter: number },
): void {
  const { user_id: userId, device_id: deviceId, token_hash: oldHash, next_token_hash: unused } = old;
  set.guard('refresh-token.changed', 1, exchange, [oldHash, next.tokenHash, unused]);
  if (unused !== null) set.add(deleteUnused, [unused]);
  set.add(revokeBefore, [userId, deviceId, oldHash, times.now]);
  set.add(settleAccess, [old.access_token_hash]);
  set.add(deleteUnusedAccess, [userId, deviceId, oldHash]);
  set.add(deleteOlder, [userId, deviceId, old.access_token_hash]);
  set.add(forgetRevoked, [userId, deviceId, times.keepRevokedAfter]);
  const { accessTokenHash } = next;
  set.add(insertAccess, [accessTokenHash, userId, deviceId, times.now, next.expiresAt, oldHash]);
  addRefreshToken(set, { tokenHash: next.tokenHash, userId, deviceId, accessTokenHash });
  set.change('access_tokens', userId);
}

const useAccess = sql<void, [tokenHash: string, replaces: string]>(
  'access-tokens.first-use',
  'update access_tokens set replaces_token_hash = null where token_hash = $1 and replaces_token_hash = $2',
);
const revoke = sql<void, [tokenHash: string, now: number]>(
  'refresh-tokens.revoke',
  'update refresh_tokens set revoked_at = $2 where token_hash = $1 and revoked_at is null',
);

/**
 * The first use of an access token ends the refresh token it came of, and the access tokens before it. Fails on the guard
 * `access-token.changed`.
 *
 * > The old refresh token remains valid until the new access token or refresh token is used
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens}
 */
export function useRefreshedToken(
  set: WriteSet,
  token: {
    readonly tokenHash: string;
    readonly userId: string;
    readonly deviceId: string;
    readonly replaces: string;
  },
  now: number,
): void {
  set.guard('access-token.changed', 1, useAccess, [token.tokenHash, token.replaces]);
  set.add(revoke, [token.replaces, now]);
  set.add(deleteOlder, [token.userId, token.deviceId, token.tokenHash]);
  set.change('access_tokens', token.userId);
}

const deleteAccess = sql<void, [userId: string, deviceId: string]>(
  'access-tokens.delete-of-session',
  'delete from access_tokens where user_id = $1 and device_id = $2',
);
const deleteRefresh = sql<void, [userId: string, deviceId: string]>(
  'refresh-tokens.delete-of-session',
  'delete from refresh_tokens where user_id = $1 and device_id = $2',
);

/** Ends all tokens of a device, which stays. */
export function revokeSession(set: WriteSet, userId: string, deviceId: string): void {
  set.add(deleteAccess, [userId, deviceId]);
  set.add(deleteRefresh, [userId, deviceId]);
  set.change('access_tokens', userId);
}
