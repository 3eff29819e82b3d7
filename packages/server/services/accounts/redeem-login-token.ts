import type { Reader, WriteSet } from '@portico/storage';
import { findLoginTokenOwner, useLoginToken } from '@portico/storage/stores/accounts/login-tokens.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken } from './access-tokens.ts';

/** Whose token this is, and what uses it up. Throws `login-token.invalid`. */
export async function redeemLoginToken(
  { db, now }: { readonly db: Reader; readonly now: () => number },
  token: string,
): Promise<{ readonly userId: string; readonly useUp: (set: WriteSet) => void }> {
  const hash = hashToken(token);
  const userId = await findLoginTokenOwner(db, hash, now());
  if (userId === undefined) throw new MatrixError('login-token.invalid');
  return { userId, useUp: (set) => useLoginToken(set, hash) };
}
