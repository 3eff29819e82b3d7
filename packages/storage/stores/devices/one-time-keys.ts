import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql, type Sql } from '../../sql.ts';

export type NewKey = {
  readonly algorithm: string;
  readonly keyId: string;
  /** The public key itself. */
  readonly identity: string;
  /** JSON text. */
  readonly key: string;
};

export type ClaimedRow = {
  readonly user_id: string;
  readonly device_id: string;
  readonly algorithm: string;
  readonly key_id: string;
  readonly key: string;
};

export type KeyCountRow = { readonly algorithm: string; readonly waiting: number; readonly unused: number };

/** The given keys. */
const given = (keys: string) =>
  `k as materialized (
     select value ->> 0 as algorithm, value ->> 1 as key_id, value ->> 2 as identity, value ->> 3 as key
     from json_each(cast(${keys} as text))
   )`;

type InsertParams = [
  userId: string,
  deviceId: string,
  keys: string,
  position: PositionParam,
  count: number,
  maxWaiting: number,
];

// A row counts if it is new or the same as before, so that a wrong count means a key that has changed, or too many.
const insertOneTimeKeys = sql<void, InsertParams>(
  'one-time-keys.add',
  `insert into one_time_keys (user_id, device_id, algorithm, position, key_id, identity, key)
   with ${given('$3')}, known as materialized (
     select o.algorithm, o.key_id, o.position from one_time_keys o
     where o.user_id = $1 and o.device_id = $2 and (o.algorithm, o.key_id) in (select algorithm, key_id from k)
   )
   select d.user_id, d.device_id, k.algorithm, coalesce(n.position, position($4)), k.key_id, k.identity, k.key
   from devices d cross join k
   left join known n on n.algorithm = k.algorithm and n.key_id = k.key_id
   where d.user_id = $1 and d.device_id = $2
     and (select count(*) from one_time_keys o where o.user_id = $1 and o.device_id = $2) + $5 <= $6
   on conflict (user_id, device_id, algorithm, position, key_id) do update set key = one_time_keys.key
     where one_time_keys.identity = excluded.identity`,
);

const setFallback = sql<void, [userId: string, deviceId: string, keys: string]>(
  'fallback-keys.set',
  `insert into fallback_keys (user_id, device_id, algorithm, key_id, key, used)
   select d.user_id, d.device_id, k.value ->> 0, k.value ->> 1, k.value ->> 3, 0
   from devices d cross join json_each(cast($3 as text)) k
   where d.user_id = $1 and d.device_id = $2
   on conflict (user_id, device_id, algorithm) do update
     set key_id = excluded.key_id, key = excluded.key, used = 0
     where fallback_keys.key <> excluded.key or fallback_keys.key_id <> excluded.key_id`,
);

type StoredKey = Pick<ClaimedRow, 'algorithm' | 'key_id' | 'key'>;

const selectChanged = sql<StoredKey, [userId: string, deviceId: string, keys: string]>(
  'one-time-keys.changed',
  `with ${given('$3')}
   select o.algorithm, o.key_id, o.key from one_time_keys o
   where o.user_id = $1 and o.device_id = $2 and (o.algorithm, o.key_id) in (select algorithm, key_id from k)
     and (o.algorithm, o.key_id, o.identity) not in (select algorithm, key_id, identity from k)
   order by o.algorithm, o.position, o.key_id limit 1`,
);

/** The first of the keys of a device that is another one than the given one of the same ID. */
export function findChangedKey(
  reader: Reader,
  userId: string,
  deviceId: string,
  keys: readonly NewKey[],
): Promise<StoredKey | undefined> {
  return reader.get(selectChanged, [userId, deviceId, pack(keys)]);
}

const selectCounts = sql<KeyCountRow, [userId: string, deviceId: string]>(
  'one-time-keys.counts',
  `select algorithm, count(*) as waiting, cast(0 as bigint) as unused from one_time_keys
   where user_id = $1 and device_id = $2 group by algorithm
   union all
   select algorithm, cast(0 as bigint), cast(1 as bigint) from fallback_keys
   where user_id = $1 and device_id = $2 and used = 0`,
);

const useFallback: Sql<ClaimedRow, [wanted: string]> = sql<ClaimedRow, [wanted: string]>(
  'fallback-keys.use',
  `update fallback_keys set used = 1
   where (user_id, device_id, algorithm) in (
     select w.value ->> 0, w.value ->> 1, w.value ->> 2 from json_each(cast($1 as text)) w
     where not exists (
       select 1 from one_time_keys o
       where o.user_id = w.value ->> 0 and o.device_id = w.value ->> 1 and o.algorithm = w.value ->> 2
     )
   )
   returning user_id, device_id, algorithm, key_id, key`,
);

const firstOf = (column: string) =>
  `(select o.${column} from one_time_keys o
    where o.user_id = w.value ->> 0 and o.device_id = w.value ->> 1 and o.algorithm = w.value ->> 2
    order by o.position, o.key_id limit 1)`;

const claimOneTime: Sql<ClaimedRow, [wanted: string]> = sql<ClaimedRow, [wanted: string]>(
  'one-time-keys.claim',
  `delete from one_time_keys
   where (user_id, device_id, algorithm, position, key_id) in (
     select w.value ->> 0, w.value ->> 1, w.value ->> 2, ${firstOf('position')}, ${firstOf('key_id')}
     from json_each(cast($1 as text)) w
   )
   returning user_id, device_id, algorithm, key_id, key`,
);

const pack = (keys: readonly NewKey[]): string =>
  JSON.stringify(keys.map(({ algorithm, keyId, identity, key }) => [algorithm, keyId, identity, key]));

/**
 * Fails on the guard `one-time-keys.refused` if a key ID is there already with another key, if with these there would be more than so
 * many, or if the device is gone.
 */
export function addOneTimeKeys(
  set: WriteSet,
  userId: string,
  deviceId: string,
  keys: readonly NewKey[],
  maxWaiting: number,
): void {
  const { length } = keys;
  const params = [userId, deviceId, pack(keys), set.takePosition(), length, maxWaiting] as const;
  set.guard('one-time-keys.refused', length, insertOneTimeKeys, [...params]);
  set.change('one_time_keys', userId);
}

/** One for each algorithm; a key that is there already stays used if it was. */
export function setFallbackKeys(set: WriteSet, userId: string, deviceId: string, keys: readonly NewKey[]): void {
  set.add(setFallback, [userId, deviceId, pack(keys)]);
  set.change('one_time_keys', userId);
}

export function countKeys(reader: Reader, userId: string, deviceId: string): Promise<KeyCountRow[]> {
  return reader.all(selectCounts, [userId, deviceId]);
}

export type WantedKey = readonly [userId: string, deviceId: string, algorithm: string];

/**
 * Takes one key of each device, each key for one claimer only and those first that were uploaded first, or its fallback key where there is none. The rows are
 * handed back with the commit, as two lists.
 */
export function claimKeys(set: WriteSet, wanted: readonly WantedKey[]): void {
  const list = JSON.stringify(wanted);
  // First, while it is still known whose keys have run out.
  set.returning(useFallback, [list]);
  set.returning(claimOneTime, [list]);
  for (const userId of new Set(wanted.map(([user]) => user))) set.change('one_time_keys', userId);
}
