import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** What a device is logged in with, where that is a client of OAuth 2.0. */
export type OAuthSessionRow = {
  readonly client_id: string;
  readonly scope: string;
  /** Of the code that it came with. */
  readonly grant_hash: string;
};

const selectSession = sql<OAuthSessionRow, [userId: string, deviceId: string]>(
  'oauth-sessions.get',
  'select client_id, scope, grant_hash from oauth_sessions where user_id = $1 and device_id = $2',
);

export function findOAuthSession(
  reader: Reader,
  userId: string,
  deviceId: string,
): Promise<OAuthSessionRow | undefined> {
  return reader.get(selectSession, [userId, deviceId]);
}

const insertSession = sql<
  void,
  [userId: string, deviceId: string, clientId: string, scope: string, grantHash: string, createdAt: number]
>(
  'oauth-sessions.insert',
  `insert into oauth_sessions (user_id, device_id, client_id, scope, grant_hash, created_at)
   values ($1, $2, $3, $4, $5, $6)`,
);

export type NewOAuthSession = {
  readonly userId: string;
  readonly deviceId: string;
  readonly clientId: string;
  readonly scope: string;
  readonly grantHash: string;
  readonly createdAt: number;
};

/** Of a device that is logged in with the same write set, which has forgotten what it was logged in with before. */
export function addOAuthSession(set: WriteSet, session: NewOAuthSession): void {
  const { userId, deviceId, clientId, scope, grantHash, createdAt } = session;
  set.add(insertSession, [userId, deviceId, clientId, scope, grantHash, createdAt]);
}

const deleteSession = sql<void, [userId: string, deviceId: string]>(
  'oauth-sessions.delete',
  'delete from oauth_sessions where user_id = $1 and device_id = $2',
);

export function forgetOAuthSession(set: WriteSet, userId: string, deviceId: string): void {
  set.add(deleteSession, [userId, deviceId]);
}

/** Together with the devices. */
export function forgetOAuthSessions(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  for (const deviceId of deviceIds) forgetOAuthSession(set, userId, deviceId);
}
