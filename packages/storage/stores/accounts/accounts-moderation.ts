import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ModeratedRow = {
  readonly is_admin: number;
  readonly locked: number;
  readonly suspended: number;
  readonly deactivated_at: number | null;
};

const selectModerated = sql<ModeratedRow, [userId: string]>(
  'accounts.moderation',
  'select is_admin, locked, suspended, deactivated_at from accounts where user_id = $1',
);

export function findModerated(reader: Reader, userId: string): Promise<ModeratedRow | undefined> {
  return reader.get(selectModerated, [userId]);
}

const updateLocked = sql<void, [userId: string, locked: number]>(
  'accounts.set-locked',
  'update accounts set locked = $2 where user_id = $1 and is_admin = 0 and deactivated_at is null',
);
const updateSuspended = sql<void, [userId: string, suspended: number]>(
  'accounts.set-suspended',
  'update accounts set suspended = $2 where user_id = $1 and is_admin = 0 and deactivated_at is null',
);

/** Fails on the guard `user.not-moderated` where the account is an administrator's, or is deactivated by now. */
export function setModerated(set: WriteSet, userId: string, measure: 'locked' | 'suspended', isOn: boolean): void {
  const statement = measure === 'locked' ? updateLocked : updateSuspended;
  set.guard('user.not-moderated', 1, statement, [userId, isOn ? 1 : 0]);
  set.change('access_tokens', userId);
}

const updateAdmin = sql<void, [userId: string, isAdmin: number]>(
  'accounts.set-admin',
  'update accounts set is_admin = $2 where user_id = $1 and deactivated_at is null',
);

const demote = sql<void, [userId: string]>(
  'accounts.demote-administrator',
  `update accounts set is_admin = 0
   where user_id = $1 and deactivated_at is null
     and (is_admin = 0 or exists (
       select 1 from accounts other
       where other.is_admin = 1 and other.user_id <> $1 and other.deactivated_at is null and other.locked = 0
         and other.suspended = 0))`,
);

/** Makes an ordinary user of an administrator. Fails on the guard `admin.last` where nobody else would be one who can act. */
export function demoteAdmin(set: WriteSet, userId: string): void {
  set.guard('admin.last', 1, demote, [userId]);
  set.change('access_tokens', userId);
}

const touchOrdinary = sql<void, [userId: string]>(
  'accounts.touch-ordinary',
  'update accounts set is_admin = is_admin where user_id = $1 and is_admin = 0',
);

/** Fails on the guard `user.not-moderated` if an administrator is what somebody is by the time of the commit. */
export function refuseAdministrator(set: WriteSet, userId: string): void {
  set.guard('user.not-moderated', 1, touchOrdinary, [userId]);
}

/** Fails on the guard `user.deactivated`. */
export function setAdmin(set: WriteSet, userId: string, isAdmin: boolean): void {
  set.guard('user.deactivated', 1, updateAdmin, [userId, isAdmin ? 1 : 0]);
  set.change('access_tokens', userId);
}
