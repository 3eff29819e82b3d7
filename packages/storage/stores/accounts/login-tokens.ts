import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Whose a token is, and with what session of another service they came, as JSON. */
export type LoginTokenRow = { readonly user_id: string; readonly came_with: string | null };

const insertToken = sql<void, [tokenHash: string, userId: string, expiresAt: number, cameWith: string | null]>(
  'login-tokens.insert',
  'insert into login_tokens (token_hash, user_id, expires_at, came_with) values ($1, $2, $3, $4)',
);
const deleteExpired = sql<void, [userId: string, now: number]>(
  'login-tokens.delete-expired',
  'delete from login_tokens where user_id = $1 and expires_at <= $2',
);
const selectToken = sql<LoginTokenRow, [tokenHash: string, now: number]>(
  'login-tokens.get',
  'select user_id, came_with from login_tokens where token_hash = $1 and expires_at > $2',
);
const deleteToken = sql<void, [tokenHash: string]>(
  'login-tokens.delete',
  'delete from login_tokens where token_hash = $1',
);
const deleteOfUser = sql<void, [userId: string]>(
  'login-tokens.delete-all',
  'delete from login_tokens where user_id = $1',
);

export type NewLoginToken = {
  readonly hash: string;
  readonly userId: string;
  readonly expiresAt: number;
  readonly cameWith: string | null;
};

/** Keeps a token, and drops those of the same person that are over. */
export function addLoginToken(set: WriteSet, { hash, userId, expiresAt, cameWith }: NewLoginToken, now: number): void {
  set.add(deleteExpired, [userId, now]);
  set.add(insertToken, [hash, userId, expiresAt, cameWith]);
}

export function findLoginToken(reader: Reader, hash: string, now: number): Promise<LoginTokenRow | undefined> {
  return reader.get(selectToken, [hash, now]);
}

/** Uses a token up. Fails on the guard `login-token.invalid` where that was done before. */
export function useLoginToken(set: WriteSet, hash: string): void {
  set.guard('login-token.invalid', 1, deleteToken, [hash]);
}

export function removeLoginTokens(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
