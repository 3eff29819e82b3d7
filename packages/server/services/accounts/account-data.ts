import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findAccountData, isDeleted, setAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { addCustomMemberEverywhere } from '@portico/storage/stores/unread/custom-rules.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { BeforeAccountData } from '../privacy/shown-invites.ts';
import { type AccountDataLimits, createAccountDataLimits } from './account-data-limits.ts';

export interface AccountData {
  /** `roomId` is '' for what belongs to no room. */
  set(userId: string, roomId: string, type: string, content: JsonObject): Promise<void>;
  /** Whoever was told of it is told that it is gone; where nothing is kept, nothing happens. */
  delete(userId: string, roomId: string, type: string): Promise<void>;
  /** The content as JSON text. Throws `account-data.not-found`. */
  get(userId: string, roomId: string, type: string): Promise<string>;
}

type Dependencies = AccountDataLimits & { readonly db: Database; readonly beforeSet?: BeforeAccountData | undefined };

const maxContentBytes = 1024 * 1024;
const maxTypeBytes = 255;

/**
 * > Servers MUST reject setting account data for event types that the server manages by using a 405 error response.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-11}
 */
const serverManaged: ReadonlySet<string> = new Set(['m.fully_read', 'm.push_rules']);

export function createAccountData({ db, beforeSet, ...limits }: Dependencies): AccountData {
  const refuseTooMuch = createAccountDataLimits(db, limits);

  async function set(userId: string, roomId: string, type: string, content: JsonObject): Promise<void> {
    if (serverManaged.has(type)) throw new MatrixError('account-data.server-managed');
    if (Buffer.byteLength(type) > maxTypeBytes) {
      throw new MatrixError('request.invalid-param', { message: `A type has at most ${maxTypeBytes} bytes.` });
    }
    const text = JSON.stringify(content);
    if (Buffer.byteLength(text) > maxContentBytes) throw new MatrixError('request.too-large');
    await refuseTooMuch(userId, text, await findAccountData(db, userId, roomId, type));
    const writes = createWriteSet();
    if (roomId === '') await beforeSet?.(writes, userId, type);
    setAccountData(writes, { userId, roomId, type, content: text });
    if (roomId === '' && type === 'm.ignored_user_list') addCustomMemberEverywhere(writes, userId);
    await db.commit(writes);
  }

  return {
    set,
    async delete(userId, roomId, type) {
      const row = await findAccountData(db, userId, roomId, type);
      if (row !== undefined && !isDeleted(row)) await set(userId, roomId, type, {});
    },
    async get(userId, roomId, type) {
      const row = await findAccountData(db, userId, roomId, type);
      if (row === undefined || isDeleted(row)) throw new MatrixError('account-data.not-found');
      return row.content;
    },
  };
}
