import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** What somebody is asked before a client gets in. */
export type OAuthRequestRow = {
  /** What is done next. */
  readonly step: string;
  /** Of what the browser has that began it. */
  readonly browser_hash: string;
  /** Who they are, once they have shown that. */
  readonly user_id: string | null;
  /** JSON. */
  readonly details: string;
  readonly expires_at: number;
};

const columns = 'step, browser_hash, user_id, details, expires_at';

const selectRequest = sql<OAuthRequestRow, [requestHash: string]>(
  'oauth-requests.get',
  `select ${columns} from oauth_requests where request_hash = $1`,
);

export function findOAuthRequest(reader: Reader, requestHash: string): Promise<OAuthRequestRow | undefined> {
  return reader.get(selectRequest, [requestHash]);
}

const mostAtOnce = 5000;

const deleteExpired = sql<void, [now: number]>(
  'oauth-requests.delete-expired',
  'delete from oauth_requests where expires_at <= $1',
);
const deleteOldest = sql<void>(
  'oauth-requests.delete-oldest',
  `delete from oauth_requests where expires_at <= (
     select expires_at from oauth_requests order by expires_at desc limit 1 offset ${mostAtOnce - 1}
   )`,
);
const insertRequest = sql<
  void,
  [requestHash: string, step: string, browserHash: string, userId: string | null, details: string, expiresAt: number]
>('oauth-requests.insert', `insert into oauth_requests (request_hash, ${columns}) values ($1, $2, $3, $4, $5, $6)`);

/** Also clears away what has expired, and the oldest where there are thousands: whoever is quick gets through. */
export function addOAuthRequest(set: WriteSet, requestHash: string, row: OAuthRequestRow, now: number): void {
  set.add(deleteExpired, [now]);
  set.add(deleteOldest, []);
  set.add(insertRequest, [requestHash, row.step, row.browser_hash, row.user_id, row.details, row.expires_at]);
}

const deleteRequest = sql<void, [requestHash: string, step: string, now: number]>(
  'oauth-requests.use',
  'delete from oauth_requests where request_hash = $1 and step = $2 and expires_at > $3',
);

/** Uses a step up. Fails on the guard `oauth.over` where that was done before, or it took too long. */
export function useOAuthRequest(set: WriteSet, requestHash: string, step: string, now: number): void {
  set.guard('oauth.over', 1, deleteRequest, [requestHash, step, now]);
}

const deleteOfUser = sql<void, [userId: string]>(
  'oauth-requests.delete-all',
  'delete from oauth_requests where user_id = $1',
);

export function removeOAuthRequests(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
