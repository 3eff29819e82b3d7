import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type RegistrationTokenRow = {
  readonly token: string;
  readonly uses_allowed: number | null;
  readonly completed: number;
  readonly created_at: number;
  readonly expires_at: number | null;
};

const selectTokens = sql<RegistrationTokenRow, [after: string]>(
  'registration-tokens.list',
  `select token, uses_allowed, completed, created_at, expires_at from registration_tokens
   where token > $1 order by token limit 1000`,
);

/** A page of at most a thousand tokens, by token; `after` is the last one of the page before, or ''. */
export function listRegistrationTokens(reader: Reader, after: string): Promise<RegistrationTokenRow[]> {
  return reader.all(selectTokens, [after]);
}

const selectToken = sql<RegistrationTokenRow, [token: string]>(
  'registration-tokens.get',
  `select token, uses_allowed, completed, created_at, expires_at from registration_tokens where token = $1`,
);

export function findRegistrationToken(reader: Reader, token: string): Promise<RegistrationTokenRow | undefined> {
  return reader.get(selectToken, [token]);
}

const insertToken = sql<void, [token: string, usesAllowed: number | null, createdAt: number, expiresAt: number | null]>(
  'registration-tokens.insert',
  `insert into registration_tokens (token, uses_allowed, completed, created_at, expires_at) values ($1, $2, 0, $3, $4)
   on conflict do nothing`,
);

/** Fails on the guard `registration-token.taken`. */
export function addRegistrationToken(
  set: WriteSet,
  token: string,
  options: {
    readonly usesAllowed: number | undefined;
    readonly createdAt: number;
    readonly expiresAt: number | undefined;
  },
): void {
  const { usesAllowed, createdAt, expiresAt } = options;
  set.guard('registration-token.taken', 1, insertToken, [token, usesAllowed ?? null, createdAt, expiresAt ?? null]);
}

const updateToken = sql<void, [token: string, usesAllowed: number | null, expiresAt: number | null]>(
  'registration-tokens.change',
  'update registration_tokens set uses_allowed = $2, expires_at = $3 where token = $1',
);

/** Fails on the guard `not-found`. */
export function changeRegistrationToken(
  set: WriteSet,
  token: string,
  limits: { readonly usesAllowed: number | null; readonly expiresAt: number | null },
): void {
  set.guard('not-found', 1, updateToken, [token, limits.usesAllowed, limits.expiresAt]);
}

const useToken = sql<void, [token: string, now: number]>(
  'registration-tokens.use',
  `update registration_tokens set completed = completed + 1
   where token = $1 and (uses_allowed is null or completed < uses_allowed) and (expires_at is null or expires_at > $2)`,
);

/** Counts one use. Fails on the guard `registration-token.invalid` where none is left. */
export function useRegistrationToken(set: WriteSet, token: string, now: number): void {
  set.guard('registration-token.invalid', 1, useToken, [token, now]);
}

const deleteToken = sql<void, [token: string]>(
  'registration-tokens.delete',
  'delete from registration_tokens where token = $1',
);

/** Fails on the guard `not-found`. */
export function removeRegistrationToken(set: WriteSet, token: string): void {
  set.guard('not-found', 1, deleteToken, [token]);
}

const selectNonce = sql<{ expires_at: number }, [nonce: string]>(
  'registration-nonces.get',
  'select expires_at from registration_nonces where nonce = $1',
);

export async function isNonceValid(reader: Reader, nonce: string, now: number): Promise<boolean> {
  const row = await reader.get(selectNonce, [nonce]);
  return row !== undefined && row.expires_at > now;
}

const insertNonce = sql<void, [nonce: string, expiresAt: number]>(
  'registration-nonces.insert',
  'insert into registration_nonces (nonce, expires_at) values ($1, $2)',
);
const deleteExpiredNonces = sql<void, [now: number]>(
  'registration-nonces.delete-expired',
  'delete from registration_nonces where expires_at <= $1',
);

export function addNonce(set: WriteSet, nonce: string, expiresAt: number, now: number): void {
  set.add(deleteExpiredNonces, [now]);
  set.add(insertNonce, [nonce, expiresAt]);
}

const deleteNonce = sql<void, [nonce: string, now: number]>(
  'registration-nonces.use',
  'delete from registration_nonces where nonce = $1 and expires_at > $2',
);

/** Fails on the guard `registration.bad-nonce` if it was used, or is too old. */
export function useNonce(set: WriteSet, nonce: string, now: number): void {
  set.guard('registration.bad-nonce', 1, deleteNonce, [nonce, now]);
}
