import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { addFirstDisplayName } from '../accounts/profile-fields.ts';

export type MaskedRow = {
  readonly deactivated_at: number | null;
  readonly is_admin: number;
  readonly locked: number;
  readonly suspended: number;
  /** Null if the user has no such device. */
  readonly device_id: string | null;
};

const selectMasked = sql<MaskedRow, [userId: string, deviceId: string]>(
  'app-services.masked',
  `select a.deactivated_at, a.is_admin, a.locked, a.suspended, d.device_id from accounts a
   left join devices d on d.user_id = a.user_id and d.device_id = $2
   where a.user_id = $1`,
);

const insertSender = sql<void, [userId: string, createdAt: number]>(
  'app-services.sender',
  `insert into accounts (user_id, password_hash, is_admin, user_type, created_at) values ($1, null, 0, null, $2)
   on conflict do nothing`,
);

/** A user as whom an application service wants to act, and whether they have the device. */
export function findMasked(reader: Reader, userId: string, deviceId: string): Promise<MaskedRow | undefined> {
  return reader.get(selectMasked, [userId, deviceId]);
}

/** Makes the account of an application service's own user, unless it is there. */
export function ensureSender(
  set: WriteSet,
  sender: { readonly userId: string; readonly displayName: string; readonly createdAt: number },
): void {
  addFirstDisplayName(set, sender.userId, sender.displayName);
  set.add(insertSender, [sender.userId, sender.createdAt]);
}
