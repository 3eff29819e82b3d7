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

/** That a key, `o`, waits to be claimed, where `mark` is the row of the last one of its device and algorithm that was. */
export const isWaiting = (mark = 'l') =>
  `o.user_id = ${mark}.user_id and o.device_id = ${mark}.device_id and o.algorithm = ${mark}.algorithm
     and o.ordinal > ${mark}.ordinal`;

/** More than there are keys in one upload: its keys get as many ordinals, of which each has its own. */
const placesAtOnce = 4096;

/** The given keys. */
const given = (keys: string) =>
  `k as materialized (
     select value ->> 0 as algorithm, value ->> 1 as key_id, value ->> 2 as identity, value ->> 3 as key,
       cast(value ->> 4 as bigint) as place
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

const insertMarks = sql<void, [userId: string, deviceId: string, algorithms: string]>(
  'one-time-keys.mark',
  `insert into last_claimed_keys (user_id, device_id, algorithm, ordinal)
   select d.user_id, d.device_id, a.value, 0 from json_each(cast($3 as text)) a cross join devices d
   where d.user_id = $1 and d.device_id = $2
   on conflict (user_id, device_id, algorithm) do nothing`,
);

const deleteClaimed = sql<void, [userId: string, deviceId: string]>(
  'one-time-keys.delete-claimed',
  `delete from one_time_keys
   where (user_id, device_id, algorithm, ordinal) in (
     select o.user_id, o.device_id, o.algorithm, o.ordinal
     from last_claimed_keys l cross join one_time_keys o
     where l.user_id = $1 and l.device_id = $2
       and o.user_id = l.user_id and o.device_id = l.device_id and o.algorithm = l.algorithm and o.ordinal <= l.ordinal
   )`,
);

// A row counts if it is new or the same as before, so that a wrong count means a key that has changed, or too many. The claimed ones
// are gone by now.
const insertOneTimeKeys = sql<void, InsertParams>(
  'one-time-keys.add',
  `insert into one_time_keys (user_id, device_id, algorithm, ordinal, key_id, identity, key)
   with ${given('$3')}, known as materialized (
     select o.algorithm, o.key_id, o.ordinal from one_time_keys o
     where o.user_id = $1 and o.device_id = $2 and (o.algorithm, o.key_id) in (select algorithm, key_id from k)
   )
   select d.user_id, d.device_id, k.algorithm, coalesce(n.ordinal, position($4) * ${placesAtOnce} + k.place),
     k.key_id, k.identity, k.key
   from devices d cross join k
   left join known n on n.algorithm = k.algorithm and n.key_id = k.key_id
   where d.user_id = $1 and d.device_id = $2
     and (select count(*) from one_time_keys o where o.user_id = $1 and o.device_id = $2) + $5 <= $6
   on conflict (user_id, device_id, algorithm, ordinal) do update set key = one_time_keys.key
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

const touchMany = sql<void, [userId: string, deviceId: string, mostAlgorithms: number]>(
  'one-time-keys.touch-many-algorithms',
  `update devices set device_id = device_id where user_id = $1 and device_id = $2 and (
     (select count(*) from fallback_keys k where k.user_id = $1 and k.device_id = $2) > $3
     or (select count(*) from last_claimed_keys l where l.user_id = $1 and l.device_id = $2) > $3
   )`,
);

/** Fails on the guard `keys.too-many-algorithms` if a device has, or ever had, keys of more than so many algorithms. */
export function refuseManyAlgorithms(set: WriteSet, userId: string, deviceId: string, mostAlgorithms: number): void {
  set.guard('keys.too-many-algorithms', 0, touchMany, [userId, deviceId, mostAlgorithms]);
}

type StoredKey = Pick<ClaimedRow, 'algorithm' | 'key_id' | 'key'>;

const selectChanged = sql<StoredKey, [userId: string, deviceId: string, keys: string]>(
  'one-time-keys.changed',
  `with ${given('$3')}
   select o.algorithm, o.key_id, o.key from last_claimed_keys l cross join one_time_keys o
   where l.user_id = $1 and l.device_id = $2 and ${isWaiting()}
     and (o.algorithm, o.key_id) in (select algorithm, key_id from k)
     and (o.algorithm, o.key_id, o.identity) not in (select algorithm, key_id, identity from k)
   order by o.algorithm, o.ordinal limit 1`,
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
  `select l.algorithm, count(*) as waiting, cast(0 as bigint) as unused
   from last_claimed_keys l cross join one_time_keys o
   where l.user_id = $1 and l.device_id = $2 and ${isWaiting()}
   group by l.algorithm
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
       select 1 from last_claimed_keys l cross join one_time_keys o
       where l.user_id = w.value ->> 0 and l.device_id = w.value ->> 1 and l.algorithm = w.value ->> 2 and ${isWaiting()}
     )
   )
   returning user_id, device_id, algorithm, key_id, key`,
);

/** Of the key that `last_claimed_keys` has come to. */
const ofClaimed = (column: string) =>
  `(select o.${column} from one_time_keys o
    where o.user_id = last_claimed_keys.user_id and o.device_id = last_claimed_keys.device_id
      and o.algorithm = last_claimed_keys.algorithm and o.ordinal = last_claimed_keys.ordinal) as ${column}`;

const claimOneTime: Sql<ClaimedRow, [wanted: string]> = sql<ClaimedRow, [wanted: string]>(
  'one-time-keys.claim',
  `update last_claimed_keys
   set ordinal = (select min(o.ordinal) from one_time_keys o where ${isWaiting('last_claimed_keys')})
   where (user_id, device_id, algorithm) in (
       select w.value ->> 0, w.value ->> 1, w.value ->> 2 from json_each(cast($1 as text)) w
     ) and exists (select 1 from one_time_keys o where ${isWaiting('last_claimed_keys')})
   returning user_id, device_id, algorithm, ${ofClaimed('key_id')}, ${ofClaimed('key')}`,
);

const pack = (keys: readonly NewKey[]): string =>
  JSON.stringify(keys.map(({ algorithm, keyId, identity, key }, place) => [algorithm, keyId, identity, key, place]));

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
  const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))];
  set.add(insertMarks, [userId, deviceId, JSON.stringify(algorithms)]);
  set.add(deleteClaimed, [userId, deviceId]);
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
