import type { JsonObject } from '@portico/protocol';
import type { Database, WriteSet } from '@portico/storage';
import { type KnownKeys, queryKeys, setDeviceKeys } from '@portico/storage/stores/devices/device-keys.ts';
import { findDevice } from '@portico/storage/stores/devices/devices.ts';
import {
  addOneTimeKeys,
  countKeys,
  findChangedKey,
  refuseManyAlgorithms,
  setFallbackKeys,
  type NewKey,
} from '@portico/storage/stores/devices/one-time-keys.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import type { DeviceListChanges } from './device-list-changes.ts';
import { parseDeviceKeys, parseKeyMap } from './parse-keys.ts';
import { signedKey } from './signed-key.ts';

export type KeyUpload = {
  readonly device_keys?: JsonObject;
  readonly one_time_keys?: JsonObject;
  readonly fallback_keys?: JsonObject;
  readonly 'org.matrix.msc2732.fallback_keys'?: JsonObject;
};

type Device = {
  readonly userId: string;
  readonly deviceId: string;
  /** Where the same set adds the device: of one of the same ID that it deletes, nothing counts any more. */
  readonly added?: { readonly displayName: string | undefined };
};

/** Adds the keys of a device to a set, all checked. */
export type PlanUpload = (set: WriteSet, device: Device, upload: KeyUpload) => Promise<void>;

type Dependencies = {
  readonly db: Database;
  readonly changes: DeviceListChanges;
  /** Whether other servers are told the names of devices. */
  readonly tellsNames: boolean;
};

const maxAtOnce = 500;
const maxWaiting = 2000;
/** Of one device: what there is of each is told with every sync. */
const maxAlgorithms = 10;
const usualAlgorithms: ReadonlySet<string> = new Set(['signed_curve25519', 'curve25519']);
const nothing: KnownKeys = { keys: [], signatures: [] };

export function createPlanUpload({ db, changes, tellsNames }: Dependencies): PlanUpload {
  async function planDeviceKeys(set: WriteSet, device: Device, keys: string): Promise<void> {
    const { userId, deviceId, added } = device;
    const place = added === undefined ? await changes.placeOf(userId) : undefined;
    const { keys: known, signatures } =
      added === undefined ? await queryKeys(db, [[userId, deviceId]], userId) : nothing;
    // Clients repeat what they uploaded: that is no news for anybody.
    if (known.find(({ kind }) => kind === 'device')?.keys === keys) return;
    const named = added || !tellsNames ? undefined : await findDevice(db, userId, deviceId);
    const displayName = added?.displayName ?? named?.display_name ?? null;
    const row = { kind: 'device', user_id: userId, id: deviceId, keys, display_name: displayName };
    setDeviceKeys(set, userId, deviceId, keys);
    const devices = [{ deviceId, displayName, keys: signedKey(row, signatures) }];
    await changes.append(set, userId, { devices }, place);
  }

  return async (set, device, upload) => {
    const { userId, deviceId } = device;
    const { device_keys: deviceKeys, one_time_keys: oneTime = {} } = upload;
    const fallback = parseFallback(upload.fallback_keys ?? upload['org.matrix.msc2732.fallback_keys'] ?? {});
    const keys = parseKeyMap(oneTime, maxAtOnce);
    const parsed = deviceKeys && parseDeviceKeys(userId, deviceId, deviceKeys);
    if (parsed !== undefined) await planDeviceKeys(set, device, parsed);
    if (keys.length > 0) addOneTimeKeys(set, userId, deviceId, keys, maxWaiting);
    if (fallback.length > 0) setFallbackKeys(set, userId, deviceId, fallback);
    if ([...keys, ...fallback].some(({ algorithm }) => !usualAlgorithms.has(algorithm))) {
      refuseManyAlgorithms(set, userId, deviceId, maxAlgorithms);
    }
  };
}

/** Commits what was planned. */
export async function commitKeys(
  db: Database,
  set: WriteSet,
  { userId, deviceId }: Device,
  { one_time_keys: given = {} }: KeyUpload,
): Promise<void> {
  try {
    await db.commit(set);
  } catch (error) {
    if (!isGuardFailure(error, 'one-time-keys.refused')) throw error;
    const [old, counts] = await Promise.all([
      findChangedKey(db, userId, deviceId, parseKeyMap(given, maxAtOnce)),
      countKeys(db, userId, deviceId),
    ]);
    const waiting = counts.reduce((sum, count) => sum + count.waiting, 0);
    if (waiting + Object.keys(given).length > maxWaiting) {
      throw new MatrixError('request.too-large', { message: `A device has at most ${maxWaiting} one-time keys.` });
    }
    if (old === undefined) throw new MatrixError('device.not-found');
    // By these words, or by M_UNKNOWN, clients in use know that they and the server hold different keys, and report or mend it.
    const name = `${old.algorithm}:${old.key_id}`;
    const message = `One time key ${name} already exists. Old key: ${old.key}; new key: ${JSON.stringify(given[name])}`;
    throw new MatrixError('keys.already-there', { message });
  }
}

function parseFallback(given: JsonObject): NewKey[] {
  const keys = parseKeyMap(given, maxAlgorithms);
  if (new Set(keys.map(({ algorithm }) => algorithm)).size < keys.length) {
    throw new MatrixError('request.invalid-param', { message: 'There is one fallback key for each algorithm.' });
  }
  return keys;
}
