import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const insertToken = sql<void, [tokenHash: string, userId: string, expiresAt: number]>(
  'login-tokens.insert',
  'insert into login_tokens (token_hash, user_id, expires_at) values ($1, $2, $3)',
);
const deleteExpired = sql<void, [userId: string, now: number]>(
  'login-tokens.delete-expired',
  'delete from login_tokens where user_id = $1 and expires_at <= $2',
);
const selectOwner = sql<{ user_id: string }, [tokenHash: string, now: number]>(
  'login-tokens.owner',
  'select user_id from login_tokens where token_hash = $1 and expires_at > $2',
);
const deleteToken = sql<void, [tokenHash: string]>(
  'login-tokens.delete',
  'delete from login_tokens where token_hash = $1',
);
const deleteOfUser = sql<void, [userId: string]>(
  'login-tokens.delete-all',
  'delete from login_tokens where user_id = $1',
);

export type NewLoginToken = { readonly hash: string; readonly userId: string; readonly expiresAt: number };

/** Keeps a token, and drops those of the same person that are over. */
export function addLoginToken(set: WriteSet, { hash, userId, expiresAt }: NewLoginToken, now: number): void {
  set.add(deleteExpired, [userId, now]);
  set.add(insertToken, [hash, userId, expiresAt]);
}

export async function findLoginTokenOwner(reader: Reader, hash: string, now: number): Promise<string | undefined> {
  return (await reader.get(selectOwner, [hash, now]))?.user_id;
}

/** Uses a token up. Fails on the guard `login-token.invalid` where that was done before. */
export function useLoginToken(set: WriteSet, hash: string): void {
  set.guard('login-token.invalid', 1, deleteToken, [hash]);
}

export function removeLoginTokens(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
