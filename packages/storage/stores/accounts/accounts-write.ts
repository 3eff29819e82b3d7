import type { WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { addRefreshToken } from './accounts-refresh.ts';
import { forgetOAuthSession } from '../oauth/oauth-sessions.ts';
import { forgetProviderSession } from './provider-sessions.ts';
import { addFirstDisplayName } from './profile-fields.ts';

export type NewAccount = {
  readonly userId: string;
  readonly passwordHash: string | undefined;
  readonly isAdmin: boolean;
  readonly userType: string | undefined;
  readonly createdAt: number;
  readonly displayName?: string | undefined;
};

const insertAccount = sql<
  void,
  [userId: string, passwordHash: string | null, isAdmin: number, userType: string | null, createdAt: number]
>(
  'accounts.insert',
  `insert into accounts (user_id, password_hash, is_admin, user_type, created_at) values ($1, $2, $3, $4, $5)
   on conflict do nothing`,
);

/** Fails on the guard `user.taken` if there is, or was, such an account. */
export function addAccount(set: WriteSet, account: NewAccount): void {
  if (account.displayName !== undefined) addFirstDisplayName(set, account.userId, account.displayName);
  set.guard('user.taken', 1, insertAccount, [
    account.userId,
    account.passwordHash ?? null,
    account.isAdmin ? 1 : 0,
    account.userType ?? null,
    account.createdAt,
  ]);
}

export type NewSession = {
  readonly userId: string;
  readonly deviceId: string;
  readonly deviceName: string | undefined;
  readonly tokenHash: string;
  readonly createdAt: number;
  /** Of a client that will refresh its access token before it expires. */
  readonly refresh?: { readonly tokenHash: string; readonly expiresAt: number } | undefined;
};

const insertDevice = sql<void, [userId: string, deviceId: string, name: string | null, createdAt: number]>(
  'devices.insert',
  `insert into devices (user_id, device_id, display_name, created_at) values ($1, $2, $3, $4)
   on conflict do nothing`,
);
const deleteDeviceTokens = sql<void, [userId: string, deviceId: string]>(
  'access-tokens.delete-of-device',
  'delete from access_tokens where user_id = $1 and device_id = $2',
);
const deleteDeviceRefreshTokens = sql<void, [userId: string, deviceId: string]>(
  'refresh-tokens.delete-of-device',
  'delete from refresh_tokens where user_id = $1 and device_id = $2',
);
/* Only for an account that may still be used when the set is committed. */
const insertToken = sql<
  void,
  [tokenHash: string, userId: string, deviceId: string, createdAt: number, expiresAt: number | null]
>(
  'access-tokens.insert',
  `insert into access_tokens (token_hash, user_id, device_id, created_at, expires_at)
   select cast($1 as text), user_id, cast($3 as text), cast($4 as bigint), cast($5 as bigint)
   from accounts where user_id = $2 and deactivated_at is null`,
);

/**
 * Logs a device in, known or new. Fails on the guard `user.deactivated`.
 *
 * > The server may invalidate any access token previously associated with that device.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#relationship-between-access-tokens-and-devices}
 */
export function addSession(set: WriteSet, session: NewSession): void {
  const { userId, deviceId, deviceName, tokenHash, createdAt, refresh } = session;
  set.add(insertDevice, [userId, deviceId, deviceName ?? null, createdAt]);
  set.add(deleteDeviceTokens, [userId, deviceId]);
  set.add(deleteDeviceRefreshTokens, [userId, deviceId]);
  forgetOAuthSession(set, userId, deviceId);
  forgetProviderSession(set, userId, deviceId);
  set.guard('user.deactivated', 1, insertToken, [tokenHash, userId, deviceId, createdAt, refresh?.expiresAt ?? null]);
  if (refresh !== undefined) {
    addRefreshToken(set, { tokenHash: refresh.tokenHash, userId, deviceId, accessTokenHash: tokenHash });
  }
  set.change('access_tokens', userId);
  set.change('devices', userId);
}
