import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ServerKeyRow = {
  readonly server_name: string;
  readonly key_id: string;
  readonly public_key: string;
  readonly valid_until_ts: number;
  readonly expired_ts: number | null;
  readonly fetched_at: number;
  /** Who gave us the key; `null` where the server itself did. */
  readonly notary: string | null;
};

const selectKeys = sql<ServerKeyRow, [serverNames: string]>(
  'server-keys.of-servers',
  `select server_name, key_id, public_key, valid_until_ts, expired_ts, fetched_at, notary from server_keys
   where server_name in (select value from json_each(cast($1 as text)))
   order by server_name, key_id`,
);

/** All keys that these servers are known to have or to have had. */
export function findServerKeys(reader: Reader, serverNames: readonly string[]): Promise<readonly ServerKeyRow[]> {
  return reader.all(selectKeys, [JSON.stringify(serverNames)]);
}

export type ServerKeyAnswerRow = {
  readonly server_name: string;
  readonly key_id: string;
  readonly valid_until_ts: number;
  readonly fetched_at: number;
  readonly answer: string;
};

const selectAnswers = sql<ServerKeyAnswerRow, [serverNames: string]>(
  'server-keys.answers',
  `select server_name, key_id, valid_until_ts, fetched_at, answer from server_keys
   where server_name in (select value from json_each(cast($1 as text)))
   order by server_name, key_id`,
);

/** The servers' own signed answers, one for each key. */
export function findServerKeyAnswers(
  reader: Reader,
  serverNames: readonly string[],
): Promise<readonly ServerKeyAnswerRow[]> {
  return reader.all(selectAnswers, [JSON.stringify(serverNames)]);
}

type Upsert = [
  serverName: string,
  keyId: string,
  publicKey: string,
  validUntilTs: number,
  expiredTs: number | null,
  fetchedAt: number,
  notary: string | null,
  answer: string,
];

// A notary may only lengthen what we know: it can neither change a key nor end it, nor give it life again.
const upsertKey = sql<void, Upsert>(
  'server-keys.upsert',
  `insert into server_keys
     (server_name, key_id, public_key, valid_until_ts, expired_ts, fetched_at, notary, answer)
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (server_name, key_id) do update set
     public_key = excluded.public_key, valid_until_ts = excluded.valid_until_ts, expired_ts = excluded.expired_ts,
     fetched_at = excluded.fetched_at, notary = excluded.notary, answer = excluded.answer
   where excluded.notary is null
     or (excluded.public_key = server_keys.public_key and server_keys.expired_ts is null
       and excluded.expired_ts is null and excluded.valid_until_ts > server_keys.valid_until_ts)`,
);

/** Keys from one answer of a server, or of a notary about it. What the server itself says counts more. */
export function putServerKeys(set: WriteSet, keys: readonly ServerKeyRow[], answer: string): void {
  for (const key of keys) {
    const { server_name, key_id, public_key, valid_until_ts, expired_ts, fetched_at, notary } = key;
    set.add(upsertKey, [server_name, key_id, public_key, valid_until_ts, expired_ts, fetched_at, notary, answer]);
    set.change('server_keys', server_name);
  }
}
