import type { WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const deactivate = sql<void, [userId: string, now: number, eraseRequestedAt: number | null]>(
  'accounts.deactivate',
  `update accounts set deactivated_at = $2, erase_requested_at = $3, password_hash = null, is_admin = 0
   where user_id = $1 and deactivated_at is null`,
);

/** The account stays, so that its name is never given to anybody again. Fails on the guard `user.deactivated`. */
export function deactivateAccount(set: WriteSet, userId: string, now: number, erase: boolean): void {
  set.guard('user.deactivated', 1, deactivate, [userId, now, erase ? now : null]);
  set.change('access_tokens', userId);
  set.change('account_ended', userId);
  if (erase) set.change('erasure', userId);
}

const requestErasureOf = sql<void, [userId: string, now: number]>(
  'accounts.request-erasure',
  `update accounts set erase_requested_at = $2
   where user_id = $1 and deactivated_at is not null and erase_requested_at is null`,
);

/** Of an account that has ended without. Fails on the guard `user.deactivated` where erasure was asked for already. */
export function requestErasure(set: WriteSet, userId: string, now: number): void {
  set.guard('user.deactivated', 1, requestErasureOf, [userId, now]);
  set.change('erasure', userId);
}

const touchDeactivated = sql<void, [userId: string]>(
  'accounts.touch-deactivated',
  'update accounts set deactivated_at = deactivated_at where user_id = $1 and deactivated_at is not null',
);

/** Fails on the guard `user.deactivated` if that is what somebody is by the time of the commit. */
export function refuseDeactivated(set: WriteSet, userId: string): void {
  set.guard('user.deactivated', 0, touchDeactivated, [userId]);
}

const updatePassword = sql<void, [userId: string, passwordHash: string]>(
  'accounts.set-password',
  'update accounts set password_hash = $2 where user_id = $1 and deactivated_at is null',
);

/** Fails on the guard `user.deactivated`. */
export function setPasswordHash(set: WriteSet, userId: string, passwordHash: string): void {
  set.guard('user.deactivated', 1, updatePassword, [userId, passwordHash]);
}

const touchPassword = sql<void, [userId: string, passwordHash: string | null]>(
  'accounts.touch-password',
  'update accounts set password_hash = password_hash where user_id = $1 and password_hash is not distinct from $2',
);

/** Fails on the guard `password.changed` if that is not the password any more; or, without one, if there is one now. */
export function requirePasswordHash(set: WriteSet, userId: string, passwordHash: string | null): void {
  set.guard('password.changed', 1, touchPassword, [userId, passwordHash]);
}
