import type { Reader, WriteSet } from '../database.ts';
import { sql } from '../sql.ts';

export type BackupRow = {
  readonly version: number;
  readonly algorithm: string;
  readonly auth_data: string;
  readonly etag: number;
};

export type BackedUpRow = {
  readonly room_id: string;
  readonly session_id: string;
  readonly first_message_index: number;
  readonly forwarded_count: number;
  readonly is_verified: number;
  readonly session_data: string;
};

/** A room, and a session of it; without them everything. */
export type BackupPlace = readonly [roomId: string | null, sessionId: string | null];

const insertBackup = sql<{ version: number }, [userId: string, algorithm: string, authData: string]>(
  'key-backups.add',
  `insert into key_backups (user_id, version, algorithm, auth_data, etag, deleted)
   select cast($1 as text), coalesce(max(b.version), 0) + 1, cast($2 as text), cast($3 as text), 0, 0
   from key_backups b where b.user_id = $1
   returning version`,
);
const selectNewest = sql<BackupRow, [userId: string]>(
  'key-backups.newest',
  `select version, algorithm, auth_data, etag from key_backups
   where user_id = $1 and deleted = 0 order by version desc limit 1`,
);
const selectVersion = sql<BackupRow, [userId: string, version: number]>(
  'key-backups.get',
  `select version, algorithm, auth_data, etag from key_backups where user_id = $1 and version = $2 and deleted = 0`,
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
const bumpEtag = sql<void, [userId: string, version: number]>(
  'key-backups.bump',
  `update key_backups set etag = etag + 1
   where user_id = $1 and version = $2 and deleted = 0 and not exists (
     select 1 from key_backups newer where newer.user_id = $1 and newer.version > $2 and newer.deleted = 0
   )`,
);

// "if the keys have different values for is_verified, then it will keep the key that has is_verified set to true; if they
// have the same values for is_verified, then it will keep the key with a lower first_message_index; and finally, [...] it
// will keep the key with a lower forwarded_count."
const upsertKeys = sql<void, [userId: string, version: number, keys: string]>(
  'backed-up-keys.set',
  `insert into backed_up_keys
     (user_id, version, room_id, session_id, first_message_index, forwarded_count, is_verified, session_data)
   select cast($1 as text), cast($2 as bigint), k.value ->> 0, k.value ->> 1, cast(k.value ->> 2 as bigint),
     cast(k.value ->> 3 as bigint), cast(k.value ->> 4 as bigint), k.value ->> 5
   from json_each(cast($3 as text)) k where true
   on conflict (user_id, version, room_id, session_id) do update set
     first_message_index = excluded.first_message_index, forwarded_count = excluded.forwarded_count,
     is_verified = excluded.is_verified, session_data = excluded.session_data
   where excluded.is_verified > backed_up_keys.is_verified
     or (excluded.is_verified = backed_up_keys.is_verified and (
       excluded.first_message_index < backed_up_keys.first_message_index
       or (excluded.first_message_index = backed_up_keys.first_message_index
         and excluded.forwarded_count < backed_up_keys.forwarded_count)))`,
);
const selectKeys = sql<BackedUpRow, [userId: string, version: number, roomId: string | null, sessionId: string | null]>(
  'backed-up-keys.get',
  `select room_id, session_id, first_message_index, forwarded_count, is_verified, session_data from backed_up_keys
   where user_id = $1 and version = $2 and room_id = coalesce($3, room_id) and session_id = coalesce($4, session_id)`,
);
const countKeys = sql<{ count: number }, [userId: string, version: number]>(
  'backed-up-keys.count',
  'select count(*) as count from backed_up_keys where user_id = $1 and version = $2',
);
const deleteKeys = sql<void, [userId: string, version: number, roomId: string | null, sessionId: string | null]>(
  'backed-up-keys.delete',
  `delete from backed_up_keys
   where user_id = $1 and version = $2 and room_id = coalesce($3, room_id) and session_id = coalesce($4, session_id)`,
);

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

/** Fails on the guard `backup.not-found`. */
export function removeBackup(set: WriteSet, userId: string, version: number): void {
  set.guard('backup.not-found', 1, markDeleted, [userId, version]);
  set.add(deleteKeys, [userId, version, null, null]);
}

/** Fails on the guard `backup.wrong-version` unless it is the newest one. Keeps the better of two keys. */
export function putBackedUpKeys(set: WriteSet, userId: string, version: number, keys: readonly BackedUpRow[]): void {
  set.guard('backup.wrong-version', 1, bumpEtag, [userId, version]);
  const packed = keys.map((key) => [
    key.room_id,
    key.session_id,
    key.first_message_index,
    key.forwarded_count,
    key.is_verified,
    key.session_data,
  ]);
  set.add(upsertKeys, [userId, version, JSON.stringify(packed)]);
}

/** Fails on the guard `backup.wrong-version` unless it is the newest one. */
export function removeBackedUpKeys(set: WriteSet, userId: string, version: number, place: BackupPlace): void {
  set.guard('backup.wrong-version', 1, bumpEtag, [userId, version]);
  set.add(deleteKeys, [userId, version, ...place]);
}

export function readBackedUpKeys(
  reader: Reader,
  userId: string,
  version: number,
  place: BackupPlace,
): Promise<BackedUpRow[]> {
  return reader.all(selectKeys, [userId, version, ...place]);
}

export async function countBackedUpKeys(reader: Reader, userId: string, version: number): Promise<number> {
  return (await reader.get(countKeys, [userId, version]))?.count ?? 0;
}
