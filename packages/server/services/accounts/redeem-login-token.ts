import type { Reader, WriteSet } from '@portico/storage';
import { findLoginToken, useLoginToken } from '@portico/storage/stores/accounts/login-tokens.ts';
import type { ProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken } from './access-tokens.ts';

export type RedeemedToken = {
  readonly userId: string;
  /** By which session of another service they came, if that is known. */
  readonly cameWith: ProviderSession | undefined;
  readonly useUp: (set: WriteSet) => void;
};

/** Whose token this is, and what uses it up. Throws `login-token.invalid`. */
export async function redeemLoginToken(
  { db, now }: { readonly db: Reader; readonly now: () => number },
  token: string,
): Promise<RedeemedToken> {
  const hash = hashToken(token);
  const row = await findLoginToken(db, hash, now());
  if (row === undefined) throw new MatrixError('login-token.invalid');
  return {
    userId: row.user_id,
    cameWith: readCameWith(row.came_with),
    useUp: (set) => useLoginToken(set, hash),
  };
}

export function readCameWith(json: string | null): ProviderSession | undefined {
  return json === null ? undefined : (JSON.parse(json) as ProviderSession);
}

export function writeCameWith(session: ProviderSession | undefined): string | null {
  return session === undefined ? null : JSON.stringify(session);
}
