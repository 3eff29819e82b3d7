import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A login by way of another service that is under way. */
export type SsoLoginRow = {
  /** What is done next. */
  readonly step: string;
  /** Of what the browser has that began it. */
  readonly browser_hash: string;
  /** Whose account it is about, once that is known. */
  readonly user_id: string | null;
  /** JSON. */
  readonly details: string;
  readonly expires_at: number;
};

const columns = 'step, browser_hash, user_id, details, expires_at';

const selectLogin = sql<SsoLoginRow, [loginHash: string]>(
  'sso-logins.get',
  `select ${columns} from sso_logins where login_hash = $1`,
);

export function findSsoLogin(reader: Reader, loginHash: string): Promise<SsoLoginRow | undefined> {
  return reader.get(selectLogin, [loginHash]);
}

const mostAtOnce = 5000;

const deleteExpired = sql<void, [now: number]>(
  'sso-logins.delete-expired',
  'delete from sso_logins where expires_at <= $1',
);
const deleteOldest = sql<void>(
  'sso-logins.delete-oldest',
  `delete from sso_logins where expires_at <= (
     select expires_at from sso_logins order by expires_at desc limit 1 offset ${mostAtOnce - 1}
   )`,
);
const insertLogin = sql<
  void,
  [loginHash: string, step: string, browserHash: string, userId: string | null, details: string, expiresAt: number]
>('sso-logins.insert', `insert into sso_logins (login_hash, ${columns}) values ($1, $2, $3, $4, $5, $6)`);

/** Also clears away what has expired, and the oldest where there are thousands: whoever is quick gets through. */
export function addSsoLogin(set: WriteSet, loginHash: string, row: SsoLoginRow, now: number): void {
  set.add(deleteExpired, [now]);
  set.add(deleteOldest, []);
  set.add(insertLogin, [loginHash, row.step, row.browser_hash, row.user_id, row.details, row.expires_at]);
}

const deleteLogin = sql<void, [loginHash: string, step: string, now: number]>(
  'sso-logins.use',
  'delete from sso_logins where login_hash = $1 and step = $2 and expires_at > $3',
);

/** Uses a step up. Fails on the guard `sso.over` where that was done before, or it took too long. */
export function useSsoLogin(set: WriteSet, loginHash: string, step: string, now: number): void {
  set.guard('sso.over', 1, deleteLogin, [loginHash, step, now]);
}

const deleteOfUser = sql<void, [userId: string]>('sso-logins.delete-all', 'delete from sso_logins where user_id = $1');

export function removeSsoLogins(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
