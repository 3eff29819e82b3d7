import { localpartOf } from '@portico/protocol/ids/user-id.ts';
import type { WriteSet } from '@portico/storage';
import { addAccount, type NewAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { ensureSender } from '@portico/storage/stores/app-services/app-services-users.ts';

/**
 * Makes an account, whose owner is called by their user name until they say otherwise: clients show the whole user ID of
 * somebody who has no display name. With an empty one they have none.
 */
export function openAccount(set: WriteSet, account: NewAccount): void {
  const { displayName = localpartOf(account.userId) } = account;
  addAccount(set, { ...account, displayName: displayName === '' ? undefined : displayName });
}

/** Makes an account that nobody logs in to with a password, unless it is there. */
export function ensureOwnAccount(set: WriteSet, userId: string, createdAt: number): void {
  ensureSender(set, { userId, displayName: localpartOf(userId), createdAt });
}
