import type { WriteSet } from '../database.ts';
import { sql } from '../sql.ts';

export type NewAccount = {
  readonly userId: string;
  readonly passwordHash: string | undefined;
  readonly isAdmin: boolean;
  readonly userType: string | undefined;
  readonly createdAt: number;
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
  set.guard('user.taken', 1, insertAccount, [
    account.userId,
    account.passwordHash ?? null,
    account.isAdmin ? 1 : 0,
    account.userType ?? null,
    account.createdAt,
  ]);
}

const upsertProfileField = sql<void, [userId: string, name: string, value: string]>(
  'profiles.set',
  `insert into profile_fields (user_id, name, value) values ($1, $2, $3)
   on conflict (user_id, name) do update set value = excluded.value`,
);

/** `value` is a JSON text. */
export function setProfileField(set: WriteSet, userId: string, name: string, value: string): void {
  set.add(upsertProfileField, [userId, name, value]);
  set.change('profile', userId);
}

export type NewSession = {
  readonly userId: string;
  readonly deviceId: string;
  readonly deviceName: string | undefined;
  readonly tokenHash: string;
  readonly createdAt: number;
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
const insertToken = sql<void, [tokenHash: string, userId: string, deviceId: string, createdAt: number]>(
  'access-tokens.insert',
  `insert into access_tokens (token_hash, user_id, device_id, created_at)
   select cast($1 as text), user_id, cast($3 as text), cast($4 as bigint) from accounts where user_id = $2 and deactivated_at is null`,
);

/**
 * Logs a device in, known or new. Fails on the guard `user.deactivated`.
 *
 * > The server may invalidate any access token previously associated with that device.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#relationship-between-access-tokens-and-devices}
 */
export function addSession(set: WriteSet, session: NewSession): void {
  const { userId, deviceId, deviceName, tokenHash, createdAt } = session;
  set.add(insertDevice, [userId, deviceId, deviceName ?? null, createdAt]);
  set.add(deleteDeviceTokens, [userId, deviceId]);
  set.add(deleteDeviceRefreshTokens, [userId, deviceId]);
  set.guard('user.deactivated', 1, insertToken, [tokenHash, userId, deviceId, createdAt]);
  set.change('access_tokens', userId);
}

const deleteDevice = sql<void, [userId: string, deviceId: string]>(
  'devices.delete',
  'delete from devices where user_id = $1 and device_id = $2',
);

/** A device and its access tokens. */
export function removeDevice(set: WriteSet, userId: string, deviceId: string): void {
  set.add(deleteDeviceTokens, [userId, deviceId]);
  set.add(deleteDeviceRefreshTokens, [userId, deviceId]);
  set.add(deleteDevice, [userId, deviceId]);
  set.change('access_tokens', userId);
}

const deleteTokens = sql<void, [userId: string]>(
  'access-tokens.delete-of-user',
  'delete from access_tokens where user_id = $1',
);
const deleteRefreshTokens = sql<void, [userId: string]>(
  'refresh-tokens.delete-of-user',
  'delete from refresh_tokens where user_id = $1',
);
const deleteDevices = sql<void, [userId: string]>('devices.delete-of-user', 'delete from devices where user_id = $1');

/** All devices of a user and their access tokens. */
export function removeAllDevices(set: WriteSet, userId: string): void {
  set.add(deleteTokens, [userId]);
  set.add(deleteRefreshTokens, [userId]);
  set.add(deleteDevices, [userId]);
  set.change('access_tokens', userId);
}
