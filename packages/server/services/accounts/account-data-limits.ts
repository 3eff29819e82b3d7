import type { Database } from '@portico/storage';
import {
  countAccountData,
  readAccountDataLength,
  type AccountDataRow,
} from '@portico/storage/stores/accounts/accounts-data.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export type AccountDataLimits = { readonly maxPerUser?: number; readonly maxLengthPerUser?: number };

/** Where all of somebody's together is added up before more is taken: less can be no more than this a few thousand times. */
const largeContent = 32 * 1024;

/**
 * Bounds what one person keeps as account data, the tags of their rooms among it. What takes the place of something longer
 * is always taken.
 */
export function createAccountDataLimits(
  db: Database,
  { maxPerUser = 5000, maxLengthPerUser = 100 * 1024 * 1024 }: AccountDataLimits,
) {
  /** Throws `account-data.too-many` if `text` cannot be kept in the place of `before`. */
  return async function refuseTooMuch(
    userId: string,
    text: string,
    before: Pick<AccountDataRow, 'content'> | undefined,
  ): Promise<void> {
    if (before === undefined && (await countAccountData(db, userId, maxPerUser)) >= maxPerUser) {
      throw new MatrixError('account-data.too-many');
    }
    const added = text.length - (before?.content.length ?? 0);
    if (text.length <= largeContent || added <= 0) return;
    if ((await readAccountDataLength(db.long, userId)) + added > maxLengthPerUser) {
      throw new MatrixError('account-data.too-many');
    }
  };
}
