import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type BackupRow = {
  readonly version: number;
  readonly algorithm: string;
  readonly auth_data: string;
  readonly etag: number;
  /** How many keys are in it. */
  readonly key_count: number;
};

export type BackedUpRow = {
  readonly room_id: string;
  readonly session_id: string;
  readonly first_message_index: number;
  readonly forwarded_count: number;
  readonly is_verified: number;
  readonly session_data: string;
};

/** The place of a key in the order in which they are read. */
export type BackupCursor = Pick<BackedUpRow, 'room_id' | 'session_id'>;

/** A room, and a session of it; without them everything. */
export type BackupPlace = readonly [] | readonly [roomId: string] | readonly [roomId: string, sessionId: string];

const insertBackup = sql<{ version: number }, [userId: string, algorithm: string, authData: string]>(
  'key-backups.add',
  `insert into key_backups (user_id, version, algorithm, auth_data, etag, deleted)
   select cast($1 as text), coalesce(max(b.version), 0) + 1, cast($2 as text), cast($3 as text), 0, 0
   from key_backups b where b.user_id = $1
   returning version`,
);
const selectNewest = sql<BackupRow, [userId: string]>(
  'key-backups.newest',
  `select version, algorithm, auth_data, etag, key_count from key_backups
   where user_id = $1 and deleted = 0 order by version desc limit 1`,
);
const selectVersion = sql<BackupRow, [userId: string, version: number]>(
  'key-backups.get',
  `select version, algorithm, auth_data, etag, key_count from key_backups
   where user_id = $1 and version = $2 and deleted = 0`,
);
const updateAuthData = sql<void, [userId: string, version: number, authData: string]>(
  'key-backups.update',
  'update key_backups set auth_data = $3 where user_id = $1 and version = $2 and deleted = 0',
);
const markDeleted = sql<void, [userId: string, version: number]>(
  'key-backups.delete',
  'update key_backups set deleted = 1 where user_id = $1 and version = $2 and deleted = 0',
);
const countVersions = sql<{ count: number }, [userId: string]>(
  'key-backups.count',
  'select count(*) as count from key_backups where user_id = $1 and deleted = 0',
);
/* The newest number is never given out again, so one row stays. */
const deleteOld = sql<void, [userId: string]>(
  'key-backups.delete-old',
  `delete from key_backups where user_id = $1 and deleted = 1
     and version < (select max(version) from key_backups where user_id = $1)`,
);
const selectLast = sql<{ version: number | null }, [userId: string]>(
  'key-backups.last',
  'select max(version) as version from key_backups where user_id = $1',
);

// "if the keys have different values for is_verified, then it will keep the key that has is_verified set to true; if they
// have the same values for is_verified, then it will keep the key with a lower first_message_index; and finally, [...] it
// will keep the key with a lower forwarded_count."
const isBetter = (given: { readonly [column: string]: string }): string =>
  `${given['is_verified']} > backed_up_keys.is_verified
     or (${given['is_verified']} = backed_up_keys.is_verified and (
       ${given['first_message_index']} < backed_up_keys.first_message_index
       or (${given['first_message_index']} = backed_up_keys.first_message_index
         and ${given['forwarded_count']} < backed_up_keys.forwarded_count)))`;
const packedColumns = {
  first_message_index: 'cast(k.value ->> 2 as bigint)',
  forwarded_count: 'cast(k.value ->> 3 as bigint)',
  is_verified: 'cast(k.value ->> 4 as bigint)',
};

/*
 * Only what changes the keys changes the etag, for clients take another one for a sign that somebody else has written. A key that
 * may be there is asked for by itself: of a join, PostgreSQL may take it into its head to compare each key with each.
 */
const touchNewest = sql<void, [userId: string, version: number, keys: string]>(
  'key-backups.touch-newest',
  `with given as materialized (
     select (
       select case when ${isBetter(packedColumns)} then 1 else 0 end from backed_up_keys
       where backed_up_keys.user_id = $1 and backed_up_keys.version = $2
         and backed_up_keys.room_id = k.value ->> 0 and backed_up_keys.session_id = k.value ->> 1
     ) as replaces
     from json_each(cast($3 as text)) k
   )
   update key_backups set
     etag = etag + case when exists (select 1 from given where replaces is null or replaces = 1) then 1 else 0 end,
     key_count = key_count + (select count(*) from given where replaces is null)
   where user_id = $1 and version = $2 and deleted = 0 and not exists (
     select 1 from key_backups newer where newer.user_id = $1 and newer.version > $2 and newer.deleted = 0
   )`,
);

type PlaceParams = readonly [userId: string, version: number, ...BackupPlace];
/** One for each kind of place, since a session is found by the key of the table only if the statement names it. */
const removals = ['', ' and b.room_id = $3', ' and b.room_id = $3 and b.session_id = $4'].map((named, depth) => {
  const keys = `from backed_up_keys b where b.user_id = $1 and b.version = $2${named}`;
  const kind = ['all', 'room', 'session'][depth];
  return {
    touch: sql<void, PlaceParams>(
      `key-backups.touch-${kind}`,
      `update key_backups set etag = etag + case when exists (select 1 ${keys}) then 1 else 0 end,
         key_count = key_count - (select count(*) ${keys})
       where user_id = $1 and version = $2 and deleted = 0`,
    ),
    remove: sql<void, PlaceParams>(`backed-up-keys.delete-${kind}`, `delete ${keys.replace(' b ', ' as b ')}`),
  };
});
const upsertKeys = sql<void, [userId: string, version: number, keys: string]>(
  'backed-up-keys.set',
  `insert into backed_up_keys
     (user_id, version, room_id, session_id, first_message_index, forwarded_count, is_verified, session_data)
   select cast($1 as text), cast($2 as bigint), k.value ->> 0, k.value ->> 1, ${packedColumns.first_message_index},
     ${packedColumns.forwarded_count}, ${packedColumns.is_verified}, k.value ->> 5
   from json_each(cast($3 as text)) k where true
   on conflict (user_id, version, room_id, session_id) do update set
     first_message_index = excluded.first_message_index, forwarded_count = excluded.forwarded_count,
     is_verified = excluded.is_verified, session_data = excluded.session_data
   where ${isBetter({
     first_message_index: 'excluded.first_message_index',
     forwarded_count: 'excluded.forwarded_count',
     is_verified: 'excluded.is_verified',
   })}`,
);
const columns = 'room_id, session_id, first_message_index, forwarded_count, is_verified, session_data';
const selectKey = sql<BackedUpRow, [userId: string, version: number, roomId: string, sessionId: string]>(
  'backed-up-keys.get',
  `select ${columns} from backed_up_keys where user_id = $1 and version = $2 and room_id = $3 and session_id = $4`,
);
const selectPage = sql<
  BackedUpRow,
  [userId: string, version: number, afterRoom: string, afterSession: string, limit: number]
>(
  'backed-up-keys.page',
  `select ${columns} from backed_up_keys
   where user_id = $1 and version = $2 and (room_id, session_id) > ($3, $4) order by room_id, session_id limit $5`,
);
const selectRoomPage = sql<
  BackedUpRow,
  [userId: string, version: number, roomId: string, afterSession: string, limit: number]
>(
  'backed-up-keys.page-of-room',
  `select ${columns} from backed_up_keys
   where user_id = $1 and version = $2 and room_id = $3 and session_id > $4 order by session_id limit $5`,
);
function removalOf(place: BackupPlace) {
  const removal = removals[place.length];
  if (removal === undefined) throw new Error('There is no such place in a backup');
  return removal;
}

/** The set's next `returned` row is the number of the new version. What is left of deleted ones goes. */
export function addBackup(set: WriteSet, userId: string, algorithm: string, authData: string): void {
  set.returning(insertBackup, [userId, algorithm, authData]);
  set.add(deleteOld, [userId]);
}

export async function countBackups(reader: Reader, userId: string): Promise<number> {
  return (await reader.get(countVersions, [userId]))?.count ?? 0;
}

export function findBackup(reader: Reader, userId: string, version?: number): Promise<BackupRow | undefined> {
  return version === undefined ? reader.get(selectNewest, [userId]) : reader.get(selectVersion, [userId, version]);
}

/** Fails on the guard `backup.not-found`. */
export function setBackupAuthData(set: WriteSet, userId: string, version: number, authData: string): void {
  set.guard('backup.not-found', 1, updateAuthData, [userId, version, authData]);
}

/** The number of the last version there was, be it deleted. */
export async function findLastVersion(reader: Reader, userId: string): Promise<number> {
  return (await reader.get(selectLast, [userId]))?.version ?? 0;
}

/** Fails on the guard `backup.not-found`. */
export function removeBackup(set: WriteSet, userId: string, version: number): void {
  set.guard('backup.not-found', 1, markDeleted, [userId, version]);
  set.add(removalOf([]).remove, [userId, version]);
}

/** Fails on the guard `backup.wrong-version` unless it is the newest one. Keeps the better of two keys. */
export function putBackedUpKeys(set: WriteSet, userId: string, version: number, keys: readonly BackedUpRow[]): void {
  const rows = keys.map((key) => [
    key.room_id,
    key.session_id,
    key.first_message_index,
    key.forwarded_count,
    key.is_verified,
    key.session_data,
  ]);
  const packed = JSON.stringify(rows);
  set.guard('backup.wrong-version', 1, touchNewest, [userId, version, packed]);
  set.add(upsertKeys, [userId, version, packed]);
}

/** Fails on the guard `backup.not-found`. Of older versions, too: "Must be the current backup" is said of writing only. */
export function removeBackedUpKeys(set: WriteSet, userId: string, version: number, place: BackupPlace): void {
  const { touch, remove } = removalOf(place);
  set.guard('backup.not-found', 1, touch, [userId, version, ...place]);
  set.add(remove, [userId, version, ...place]);
}

export function findBackedUpKey(
  reader: Reader,
  userId: string,
  version: number,
  { room_id: roomId, session_id: sessionId }: BackupCursor,
): Promise<BackedUpRow | undefined> {
  return reader.get(selectKey, [userId, version, roomId, sessionId]);
}

/** Keys behind a place in their order: of all rooms, or of one. */
export function readBackedUpKeys(
  reader: Reader,
  userId: string,
  version: number,
  { roomId, after, limit }: { readonly roomId: string | null; readonly after: BackupCursor; readonly limit: number },
): Promise<BackedUpRow[]> {
  if (roomId !== null) return reader.all(selectRoomPage, [userId, version, roomId, after.session_id, limit]);
  return reader.all(selectPage, [userId, version, after.room_id, after.session_id, limit]);
}
