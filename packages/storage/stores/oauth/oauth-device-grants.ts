import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { fairLimit } from '../fair-limit.ts';

/** A client without a browser that waits for somebody to let it in with theirs. */
export type OAuthDeviceGrantRow = {
  readonly device_code_hash: string;
  readonly user_code_hash: string;
  readonly client_id: string;
  readonly device_id: string;
  readonly scope: string;
  readonly state: string;
  /** Who has let it in. */
  readonly user_id: string | null;
  /** The session of another service by which they came, as JSON. */
  readonly came_with: string | null;
  readonly started_at: number;
  /** How long it waits before it asks again. */
  readonly interval_ms: number;
  readonly polled_at: number | null;
  readonly expires_at: number;
};

const columns =
  'device_code_hash, user_code_hash, client_id, device_id, scope, state, user_id, came_with, started_at, interval_ms, polled_at, expires_at';

const selectByDeviceCode = sql<OAuthDeviceGrantRow, [deviceCodeHash: string]>(
  'oauth-device-grants.get',
  `select ${columns} from oauth_device_grants where device_code_hash = $1`,
);
const selectByUserCode = sql<OAuthDeviceGrantRow, [userCodeHash: string]>(
  'oauth-device-grants.by-user-code',
  `select ${columns} from oauth_device_grants where user_code_hash = $1`,
);

export function findDeviceGrant(reader: Reader, deviceCodeHash: string): Promise<OAuthDeviceGrantRow | undefined> {
  return reader.get(selectByDeviceCode, [deviceCodeHash]);
}

export function findDeviceGrantByUserCode(
  reader: Reader,
  userCodeHash: string,
): Promise<OAuthDeviceGrantRow | undefined> {
  return reader.get(selectByUserCode, [userCodeHash]);
}

const mostAtOnce = 5000;

const deleteExpired = sql<void, [now: number]>(
  'oauth-device-grants.delete-expired',
  'delete from oauth_device_grants where expires_at <= $1',
);
const makeRoom = fairLimit({
  table: 'oauth_device_grants',
  key: 'device_code_hash',
  name: 'oauth-device-grants.make-room',
  most: mostAtOnce,
});
const insertGrant = sql<
  void,
  [
    deviceCodeHash: string,
    userCodeHash: string,
    clientId: string,
    deviceId: string,
    scope: string,
    startedAt: number,
    intervalMs: number,
    expiresAt: number,
    network: string,
  ]
>(
  'oauth-device-grants.insert',
  `insert into oauth_device_grants (${columns}, network)
   values ($1, $2, $3, $4, $5, 'pending', null, null, $6, $7, null, $8, $9)
   on conflict do nothing`,
);

export type NewDeviceGrant = {
  readonly deviceCodeHash: string;
  readonly userCodeHash: string;
  readonly clientId: string;
  readonly network: string;
  readonly deviceId: string;
  readonly scope: string;
  readonly intervalMs: number;
  readonly expiresAt: number;
};

/**
 * Also clears away what has expired, a while after that, and where there are thousands the oldest of the network that has the most. Fails on the guard
 * `oauth.user-code-taken`.
 */
export function addDeviceGrant(set: WriteSet, grant: NewDeviceGrant, now: number, keptSince: number): void {
  set.add(deleteExpired, [keptSince]);
  set.add(makeRoom, []);
  const { deviceCodeHash, userCodeHash, clientId, deviceId, scope, intervalMs, expiresAt, network } = grant;
  const row = [deviceCodeHash, userCodeHash, clientId, deviceId, scope, now, intervalMs, expiresAt, network] as const;
  set.guard('oauth.user-code-taken', 1, insertGrant, [...row]);
}

const settle = sql<void, [deviceCodeHash: string, state: string, userId: string, now: number, cameWith: string | null]>(
  'oauth-device-grants.settle',
  `update oauth_device_grants set state = $2, user_id = $3, came_with = $5
   where device_code_hash = $1 and state = 'pending' and expires_at > $4`,
);

/** Somebody has said yes or no to it. Fails on the guard `oauth.over`. */
export function settleDeviceGrant(
  set: WriteSet,
  deviceCodeHash: string,
  said: { readonly state: 'approved' | 'denied'; readonly userId: string; readonly cameWith: string | null },
  now: number,
): void {
  set.guard('oauth.over', 1, settle, [deviceCodeHash, said.state, said.userId, now, said.cameWith]);
}

const notePoll = sql<void, [deviceCodeHash: string, polledAt: number, intervalMs: number]>(
  'oauth-device-grants.poll',
  'update oauth_device_grants set polled_at = $2, interval_ms = $3 where device_code_hash = $1',
);

export function noteDevicePoll(set: WriteSet, deviceCodeHash: string, polledAt: number, intervalMs: number): void {
  set.add(notePoll, [deviceCodeHash, polledAt, intervalMs]);
}

const useGrant = sql<void, [deviceCodeHash: string, now: number]>(
  'oauth-device-grants.use',
  `delete from oauth_device_grants where device_code_hash = $1 and state = 'approved' and expires_at > $2`,
);

/** The client gets in. Fails on the guard `oauth.code-used`. */
export function useDeviceGrant(set: WriteSet, deviceCodeHash: string, now: number): void {
  set.guard('oauth.code-used', 1, useGrant, [deviceCodeHash, now]);
}

const deleteOfUser = sql<void, [userId: string]>(
  'oauth-device-grants.delete-all',
  'delete from oauth_device_grants where user_id = $1',
);

export function removeDeviceGrants(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
