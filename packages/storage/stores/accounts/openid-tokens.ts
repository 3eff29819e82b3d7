import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const insertToken = sql<void, [tokenHash: string, userId: string, expiresAt: number]>(
  'openid-tokens.insert',
  'insert into openid_tokens (token_hash, user_id, expires_at) values ($1, $2, $3)',
);

const deleteExpired = sql<void, [userId: string, now: number]>(
  'openid-tokens.delete-expired',
  'delete from openid_tokens where user_id = $1 and expires_at <= $2',
);

const selectOwner = sql<{ user_id: string }, [tokenHash: string, now: number]>(
  'openid-tokens.owner',
  'select user_id from openid_tokens where token_hash = $1 and expires_at > $2',
);

const deleteOfUser = sql<void, [userId: string]>(
  'openid-tokens.delete-all',
  'delete from openid_tokens where user_id = $1',
);

/** Keeps a token and drops those of the same person that are over. */
export function addOpenIdToken(
  set: WriteSet,
  token: { readonly hash: string; readonly userId: string; readonly expiresAt: number },
  now: number,
): void {
  set.add(deleteExpired, [token.userId, now]);
  set.add(insertToken, [token.hash, token.userId, token.expiresAt]);
}

export async function findOpenIdOwner(reader: Reader, hash: string, now: number): Promise<string | undefined> {
  return (await reader.get(selectOwner, [hash, now]))?.user_id;
}

export function removeOpenIdTokens(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
