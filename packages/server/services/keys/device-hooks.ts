import type { Database } from '@portico/storage';
import { dropKeysOf, readDeviceKeysOf } from '@portico/storage/stores/devices/device-keys.ts';
import type { OnDeviceAdded, OnDeviceRenamed, OnDevicesDeleted } from '../devices/devices.ts';
import { requireNoSigningKey } from './key-names.ts';
import type { DeviceListChanges } from './device-list-changes.ts';
import { signedKey } from './signed-key.ts';

type Dependencies = { readonly db: Database; readonly changes: DeviceListChanges };

/** Drops the keys of devices that are deleted, and tells those who knew them. */
export function forgetKeys({ db, changes }: Dependencies): OnDevicesDeleted {
  return async (set, userId, deviceIds) => {
    if (deviceIds.length === 0) return;
    const place = await changes.placeOf(userId);
    const { keys } = await readDeviceKeysOf(db, userId, deviceIds);
    dropKeysOf(set, userId, deviceIds);
    // No other server has heard of a device without keys.
    const devices = keys.map(({ id }) => ({ deviceId: id, keys: undefined }));
    await changes.append(set, userId, { devices }, place);
  };
}

/** Tells those who share a room with somebody of a new device, which has no keys yet. */
export function tellNewDevice({ db, changes }: Dependencies): OnDeviceAdded {
  return async (set, userId, deviceId) => {
    await requireNoSigningKey(db, userId, deviceId);
    await changes.append(set, userId, {});
  };
}

/** Tells those who know a device its new name. */
export function tellNewName({
  db,
  changes,
  tellsNames,
}: Dependencies & { readonly tellsNames: boolean }): OnDeviceRenamed {
  return async (set, userId, deviceId, displayName) => {
    // Of what other servers know nothing has changed.
    if (!tellsNames) return changes.append(set, userId, {});
    const place = await changes.placeOf(userId);
    const { keys, signatures } = await readDeviceKeysOf(db, userId, [deviceId]);
    const devices = keys.map((row) => ({ deviceId, displayName, keys: signedKey(row, signatures) }));
    await changes.append(set, userId, { devices }, place);
  };
}
