import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** The session with another service by which somebody logs in. */
export type ProviderSession = {
  readonly provider: string;
  readonly subject: string;
  /** What the service calls the session, if it says. */
  readonly sid?: string;
  /** When they came from there. */
  readonly begunAt: number;
};

/** In milliseconds: longer than a token can be given again, and than anybody is half-way in who came before it. */
const rememberedFor = 2 * 60 * 60 * 1000;

const deleteOld = sql<void, [receivedBefore: number]>(
  'provider-logouts.delete-old',
  'delete from provider_logouts where received_at < $1',
);
const insertSession = sql<
  void,
  [userId: string, deviceId: string, provider: string, subject: string, sid: string | null, begunAt: number]
>(
  'provider-sessions.insert',
  `insert into provider_sessions (user_id, device_id, provider, subject, sid, begun_at)
   select cast($1 as text), cast($2 as text), cast($3 as text), cast($4 as text), cast($5 as text), cast($6 as bigint)
   where not exists (
     select 1 from provider_logouts where provider = $3 and sid = $5 and (subject is null or subject = $4)
   ) and not exists (
     select 1 from provider_logouts
     where provider = $3 and subject = $4 and (sid is null or cast($5 as text) is null) and received_at >= $6
   )`,
);

/**
 * Of a device that is logged in with the same write set. Also clears away old logouts. Fails on the guard `sso.logged-out` where the service has ended the session
 * while they were half-way in.
 */
export function addProviderSession(
  set: WriteSet,
  { userId, deviceId }: { readonly userId: string; readonly deviceId: string },
  { provider, subject, sid, begunAt }: ProviderSession,
): void {
  set.add(deleteOld, [begunAt - rememberedFor]);
  set.guard('sso.logged-out', 1, insertSession, [userId, deviceId, provider, subject, sid ?? null, begunAt]);
}

const deleteSession = sql<void, [userId: string, deviceId: string]>(
  'provider-sessions.delete',
  'delete from provider_sessions where user_id = $1 and device_id = $2',
);

export function forgetProviderSession(set: WriteSet, userId: string, deviceId: string): void {
  set.add(deleteSession, [userId, deviceId]);
}

/** Together with the devices. */
export function forgetProviderSessions(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  for (const deviceId of deviceIds) forgetProviderSession(set, userId, deviceId);
}

type SessionRow = {
  readonly provider: string;
  readonly subject: string;
  readonly sid: string | null;
  readonly begun_at: number;
};

const selectSession = sql<SessionRow, [userId: string, deviceId: string]>(
  'provider-sessions.get',
  'select provider, subject, sid, begun_at from provider_sessions where user_id = $1 and device_id = $2',
);

/** By which session somebody logged in on a device. */
export async function findProviderSession(
  reader: Reader,
  userId: string,
  deviceId: string,
): Promise<ProviderSession | undefined> {
  const row = await reader.get(selectSession, [userId, deviceId]);
  if (row === undefined) return undefined;
  const { provider, subject, sid, begun_at: begunAt } = row;
  return { provider, subject, ...(sid !== null && { sid }), begunAt };
}

/** Whom a service has logged out: of one session, or of all those of a person. */
export type ProviderLogout = {
  readonly provider: string;
  readonly subject?: string;
  readonly sid?: string;
};

/** A device that a logout is about. */
export type LoggedOutRow = { readonly user_id: string; readonly device_id: string };

const selectOfSid = sql<LoggedOutRow, [provider: string, sid: string, subject: string | null, limit: number]>(
  'provider-sessions.of-sid',
  `select user_id, device_id from provider_sessions
   where provider = $1 and sid = $2 and (cast($3 as text) is null or subject = $3) order by user_id, device_id limit $4`,
);
const selectOfSubject = sql<LoggedOutRow, [provider: string, subject: string, begunUntil: number, limit: number]>(
  'provider-sessions.of-subject',
  `select user_id, device_id from provider_sessions where provider = $1 and subject = $2 and begun_at <= $3
   order by user_id, device_id limit $4`,
);
const selectUnnamed = sql<LoggedOutRow, [provider: string, subject: string, begunUntil: number, limit: number]>(
  'provider-sessions.unnamed',
  `select user_id, device_id from provider_sessions
   where provider = $1 and subject = $2 and sid is null and begun_at <= $3 order by user_id, device_id limit $4`,
);

/**
 * Devices that a logout is about, which was received then: it is about no session that began later.
 *
 * > The RP attempts to locate the session(s) identified by the `iss` and `sub` Claims and/or the `sid` Claim.
 *
 * A session that the service gave no name can be the one that it names now. It ends if it is the person's, since the service
 * wanted somebody out; without a person nothing says that it might be.
 *
 * {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#BCActions}
 */
export async function listLoggedOut(
  reader: Reader,
  { provider, subject, sid }: ProviderLogout,
  receivedAt: number,
  limit: number,
): Promise<readonly LoggedOutRow[]> {
  if (sid === undefined) {
    return subject === undefined ? [] : reader.all(selectOfSubject, [provider, subject, receivedAt, limit]);
  }
  const named = await reader.all(selectOfSid, [provider, sid, subject ?? null, limit]);
  if (subject === undefined || named.length === limit) return named;
  return [...named, ...(await reader.all(selectUnnamed, [provider, subject, receivedAt, limit - named.length]))];
}

const insertLogout = sql<
  void,
  [provider: string, tokenHash: string, subject: string | null, sid: string | null, receivedAt: number]
>(
  'provider-logouts.insert',
  `insert into provider_logouts (provider, token_hash, subject, sid, received_at) values ($1, $2, $3, $4, $5)
   on conflict do nothing`,
);

/** Also clears away old ones. Fails on the guard `sso.bad-logout-token` where the same token came before. */
export function addProviderLogout(
  set: WriteSet,
  { provider, subject, sid }: ProviderLogout,
  tokenHash: string,
  receivedAt: number,
): void {
  set.add(deleteOld, [receivedAt - rememberedFor]);
  set.guard('sso.bad-logout-token', 1, insertLogout, [provider, tokenHash, subject ?? null, sid ?? null, receivedAt]);
}

export type ReceivedLogout = { readonly logout: ProviderLogout; readonly receivedAt: number };

type LogoutRow = {
  readonly provider: string;
  readonly subject: string | null;
  readonly sid: string | null;
  readonly received_at: number;
};

const selectLogout = sql<LogoutRow, [provider: string, tokenHash: string]>(
  'provider-logouts.get',
  'select provider, subject, sid, received_at from provider_logouts where provider = $1 and token_hash = $2',
);

/** What came before with the same token. */
export async function findProviderLogout(
  reader: Reader,
  provider: string,
  tokenHash: string,
): Promise<ReceivedLogout | undefined> {
  const row = await reader.get(selectLogout, [provider, tokenHash]);
  return row && toReceived(row);
}

function toReceived({ provider, subject, sid, received_at: receivedAt }: LogoutRow): ReceivedLogout {
  return { logout: { provider, ...(subject !== null && { subject }), ...(sid !== null && { sid }) }, receivedAt };
}
