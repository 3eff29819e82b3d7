import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type OAuthClientRow = {
  readonly client_id: string;
  /** JSON. */
  readonly metadata: string;
  /** When it registered, or somebody began to log in with it, for the last time. */
  readonly used_at: number;
};

const selectClient = sql<OAuthClientRow, [clientId: string]>(
  'oauth-clients.get',
  'select client_id, metadata, used_at from oauth_clients where client_id = $1',
);

export function findOAuthClient(reader: Reader, clientId: string): Promise<OAuthClientRow | undefined> {
  return reader.get(selectClient, [clientId]);
}

const mostUnused = 5000;

/* "The server MUST NOT delete client registrations that have an active session." */
const isUnused = 'not exists (select 1 from oauth_sessions s where s.client_id = oauth_clients.client_id)';

const deleteUnused = sql<void, [usedBefore: number]>(
  'oauth-clients.delete-unused',
  `delete from oauth_clients where used_at < $1 and ${isUnused}`,
);
const deleteLongestUnused = sql<void>(
  'oauth-clients.delete-longest-unused',
  `delete from oauth_clients where ${isUnused} and used_at <= (
     select used_at from oauth_clients order by used_at desc limit 1 offset ${mostUnused - 1}
   )`,
);
const insertClient = sql<void, [clientId: string, metadata: string, usedAt: number]>(
  'oauth-clients.insert',
  `insert into oauth_clients (client_id, metadata, used_at) values ($1, $2, $3)
   on conflict (client_id) do update set used_at = excluded.used_at`,
);

/** Also clears away those that nobody has used since, and the longest unused where there are thousands. */
export function addOAuthClient(set: WriteSet, client: OAuthClientRow, usedBefore: number): void {
  set.add(deleteUnused, [usedBefore]);
  set.add(deleteLongestUnused, []);
  set.add(insertClient, [client.client_id, client.metadata, client.used_at]);
}

const touch = sql<void, [clientId: string, usedAt: number]>(
  'oauth-clients.touch',
  'update oauth_clients set used_at = $2 where client_id = $1 and used_at < $2',
);

export function touchOAuthClient(set: WriteSet, clientId: string, usedAt: number): void {
  set.add(touch, [clientId, usedAt]);
}
