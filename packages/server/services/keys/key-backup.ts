import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  addBackup,
  countBackups,
  findBackedUpKey,
  findBackup,
  findLastVersion,
  putBackedUpKeys,
  readBackedUpKeys,
  removeBackedUpKeys,
  removeBackup,
  setBackupAuthData,
  type BackedUpRow,
  type BackupPlace,
} from '@portico/storage/stores/devices/key-backup.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import { jsonWithin } from '../json-within.ts';
import { inSteps } from '../in-steps.ts';
import { allRoomsText, keyText, type ReadPage, roomText } from './backed-up-text.ts';

/** What only the client understands: an object by the spec, and text in older suites and clients. */
export type Opaque = JsonObject | string;

export type BackedUpKey = {
  readonly first_message_index: number;
  readonly forwarded_count: number;
  readonly is_verified: boolean;
  readonly session_data: Opaque;
};
export type RoomBackup = { readonly sessions: { readonly [sessionId: string]: BackedUpKey } };
export type BackupRooms = { readonly [roomId: string]: RoomBackup };
export type BackupState = { readonly count: number; readonly etag: string };
type Version = BackupState & { readonly version: string; readonly algorithm: string; readonly auth_data: Opaque };
type NewVersion = { readonly algorithm: string; readonly auth_data: Opaque; readonly version?: string };

export interface KeyBackup {
  create(userId: string, backup: NewVersion): Promise<string>;
  /** The newest version if none is named. Throws `backup.not-found`. */
  get(userId: string, version?: string): Promise<Version>;
  update(userId: string, version: string, backup: NewVersion): Promise<void>;
  /** "The delete succeeded, or the specified backup was previously deleted." Throws `backup.not-found` for any other. */
  remove(userId: string, version: string): Promise<void>;
  /** Throws `backup.wrong-version` for any version but the newest one. */
  putKeys(userId: string, version: string, rooms: BackupRooms): Promise<BackupState>;
  removeKeys(userId: string, version: string, place: BackupPlace): Promise<BackupState>;
  /** Of all rooms, or of one, as JSON text in pieces. */
  readKeys(userId: string, version: string, roomId: string | null): Promise<AsyncGenerator<string>>;
  /** One as JSON text. Throws `backup.not-found`. */
  readKey(userId: string, version: string, roomId: string, sessionId: string): Promise<string>;
}

const maxAuthData = 65_536;
/** Clients make a new one when they reset their keys, and some leave the old ones. */
const maxVersions = 100;
/** Some of the most talkative people have a hundred thousand. */
const maxKeys = 500_000;
const maxSessionData = 65_536;
const rowsAtOnce = 50;
const rowsPerCommit = 500;
const charactersPerCommit = 500_000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups} */
type Dependencies = { readonly db: Database; readonly mostVersions?: number; readonly mostKeys?: number };

export function createKeyBackup(dependencies: Dependencies): KeyBackup {
  const { db, mostVersions = maxVersions, mostKeys = maxKeys } = dependencies;
  async function get(userId: string, version?: string): Promise<Version> {
    const row = await findBackup(db, userId, version === undefined ? undefined : numberOf(version));
    if (row === undefined) throw new MatrixError('backup.not-found');
    return {
      version: String(row.version),
      algorithm: row.algorithm,
      auth_data: JSON.parse(row.auth_data) as Opaque,
      etag: String(row.etag),
      count: row.key_count,
    };
  }

  async function commit(userId: string, set: WriteSet): Promise<void> {
    try {
      await db.commit(set);
    } catch (error) {
      if (!isGuardFailure(error, 'backup.wrong-version')) throw error;
      const current = await findBackup(db, userId);
      if (current === undefined) throw new MatrixError('backup.not-found');
      throw new MatrixError('backup.wrong-version', { fields: { current_version: String(current.version) } });
    }
  }

  async function state(userId: string, version: string): Promise<BackupState> {
    const { count, etag } = await get(userId, version);
    return { count, etag };
  }

  return {
    get,
    async create(userId, { algorithm, auth_data: authData }) {
      if ((await countBackups(db, userId)) >= mostVersions) throw new MatrixError('backup.too-many');
      const set = createWriteSet();
      addBackup(set, userId, algorithm, bounded(authData));
      const { returned } = await db.commit(set);
      const [row] = returned[0] as readonly { version: number }[];
      if (row === undefined) throw new Error('A backup without a number');
      return String(row.version);
    },
    async update(userId, version, { algorithm, auth_data: authData, version: named }) {
      const known = await get(userId, version);
      if (algorithm !== known.algorithm || (named !== undefined && named !== version)) {
        throw new MatrixError('request.invalid-param', { message: 'Only auth_data of a backup can be changed.' });
      }
      const set = createWriteSet();
      setBackupAuthData(set, userId, numberOf(version), bounded(authData));
      await db.commit(set);
    },
    async remove(userId, version) {
      const set = createWriteSet();
      removeBackup(set, userId, numberOf(version));
      try {
        await db.commit(set);
      } catch (error) {
        const wasThere = numberOf(version) > 0 && numberOf(version) <= (await findLastVersion(db, userId));
        if (!isGuardFailure(error, 'backup.not-found') || !wasThere) throw error;
      }
    },
    async putKeys(userId, version, rooms) {
      // All of them are looked at before the first one is stored.
      const rows = await inSteps(rowSteps(rooms));
      const known = await findBackup(db, userId, numberOf(version));
      if ((known?.key_count ?? 0) + rows.length > mostKeys) throw new MatrixError('backup.too-large');
      for (const some of portions(rows)) {
        const set = createWriteSet();
        putBackedUpKeys(set, userId, numberOf(version), some);
        await commit(userId, set);
      }
      return state(userId, version);
    },
    async removeKeys(userId, version, place) {
      const set = createWriteSet();
      removeBackedUpKeys(set, userId, numberOf(version), place);
      await commit(userId, set);
      return state(userId, version);
    },
    async readKeys(userId, version, roomId) {
      const number = numberOf(version);
      if ((await findBackup(db, userId, number)) === undefined) throw new MatrixError('backup.not-found');
      const read: ReadPage = (after, limit) => readBackedUpKeys(db.long, userId, number, { roomId, after, limit });
      return roomId === null ? allRoomsText(read) : roomText(read);
    },
    async readKey(userId, version, roomId, sessionId) {
      const number = numberOf(version);
      const row = await findBackedUpKey(db, userId, number, { room_id: roomId, session_id: sessionId });
      if (row === undefined) throw new MatrixError('backup.not-found');
      return keyText(row);
    },
  };
}

/** Versions are numbers that were given out here; any other text names none. */
function numberOf(version: string): number {
  return /^[1-9][0-9]{0,14}$/.test(version) ? Number(version) : 0;
}

function bounded(authData: Opaque): string {
  const text = JSON.stringify(authData);
  if (text.length > maxAuthData) throw new MatrixError('request.too-large');
  return text;
}

function* rowSteps(rooms: BackupRooms): Generator<void, BackedUpRow[], void> {
  const rows: BackedUpRow[] = [];
  for (const roomId in rooms) {
    const { sessions } = rooms[roomId] as RoomBackup;
    yield;
    for (const sessionId in sessions) {
      rows.push(toRow(roomId, sessionId, sessions[sessionId] as BackedUpKey));
      if (rows.length % rowsAtOnce === 0) yield;
    }
  }
  return rows;
}

/** What is stored with one commit each, so that nobody else's has to wait for tens of thousands. There is always one. */
function* portions(rows: readonly BackedUpRow[]): Generator<readonly BackedUpRow[], void, void> {
  let from = 0;
  let length = 0;
  for (const [index, { session_data: data }] of rows.entries()) {
    length += data.length;
    if (index + 1 - from < rowsPerCommit && length < charactersPerCommit) continue;
    yield rows.slice(from, index + 1);
    from = index + 1;
    length = 0;
  }
  if (from < rows.length || rows.length === 0) yield rows.slice(from);
}

function boundedSession(data: Opaque): string {
  const text = jsonWithin(data, maxSessionData);
  if (text === undefined) throw new MatrixError('request.too-large');
  return text;
}

function toRow(roomId: string, sessionId: string, key: BackedUpKey): BackedUpRow {
  // Reading goes on behind a name, and before all others is the empty one.
  if (roomId === '' || sessionId === '') throw new MatrixError('request.invalid-param');
  return {
    room_id: roomId,
    session_id: sessionId,
    first_message_index: key.first_message_index,
    forwarded_count: key.forwarded_count,
    is_verified: key.is_verified ? 1 : 0,
    session_data: boundedSession(key.session_data),
  };
}
