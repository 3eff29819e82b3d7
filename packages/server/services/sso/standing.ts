import type { Reader } from '@portico/storage';
import { findModerated } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** Throws unless somebody can get into the account. */
export async function requireOpenAccount(db: Reader, userId: string): Promise<void> {
  const standing = await findModerated(db, userId);
  if (standing === undefined) throw new MatrixError('sso.no-account');
  if (standing.deactivated_at !== null) throw new MatrixError('user.deactivated');
  if (standing.locked === 1) throw new MatrixError('user.locked');
}
