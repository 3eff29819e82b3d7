import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { fairLimit } from '../fair-limit.ts';

export type OAuthClientRow = {
  readonly client_id: string;
  /** JSON. */
  readonly metadata: string;
  /** When it registered, or somebody began to log in with it, for the last time. */
  readonly used_at: number;
  /** Where it registered for the last time; empty once that is a while ago. */
  readonly network: string;
};

const selectClient = sql<OAuthClientRow, [clientId: string]>(
  'oauth-clients.get',
  'select client_id, metadata, used_at, network from oauth_clients where client_id = $1',
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
const forgetNetworks = sql<void, [usedBefore: number]>(
  'oauth-clients.forget-networks',
  `update oauth_clients set network = '' where used_at < $1 and network <> ''`,
);
const makeRoom = fairLimit({
  table: 'oauth_clients',
  key: 'client_id',
  name: 'oauth-clients.make-room',
  most: mostUnused,
  age: 'used_at',
  where: isUnused,
});
const insertClient = sql<void, [clientId: string, metadata: string, usedAt: number, network: string]>(
  'oauth-clients.insert',
  `insert into oauth_clients (client_id, metadata, used_at, network) values ($1, $2, $3, $4)
   on conflict (client_id) do update set used_at = excluded.used_at, network = excluded.network`,
);

/**
 * Also clears away those that nobody has used since, and of the others where they registered; where there are thousands that nobody is
 * logged in with, the longest unused of the network that has registered the most.
 */
export function addOAuthClient(set: WriteSet, client: OAuthClientRow, usedBefore: number): void {
  set.add(deleteUnused, [usedBefore]);
  set.add(forgetNetworks, [usedBefore]);
  set.add(makeRoom, []);
  set.add(insertClient, [client.client_id, client.metadata, client.used_at, client.network]);
}

const touch = sql<void, [clientId: string, usedAt: number]>(
  'oauth-clients.touch',
  'update oauth_clients set used_at = $2 where client_id = $1 and used_at < $2',
);

export function touchOAuthClient(set: WriteSet, clientId: string, usedAt: number): void {
  set.add(touch, [clientId, usedAt]);
}
