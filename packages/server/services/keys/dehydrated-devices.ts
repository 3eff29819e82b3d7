import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findDehydratedDevice, setDehydratedDevice } from '@portico/storage/stores/devices/dehydrated-devices.ts';
import { addDevice } from '@portico/storage/stores/devices/devices.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import { checkDeviceId, checkDeviceName, type Devices } from '../devices/devices.ts';
import { unlessChanged } from '../devices/unless-changed.ts';
import type { ToDevicePage, ToDeviceQueue } from '../to-device/to-device-queue.ts';
import { requireNoSigningKey } from './key-names.ts';
import { commitKeys, type KeyUpload, type PlanUpload } from './plan-upload.ts';

export type DehydratedDevice = { readonly device_id: string; readonly device_data: JsonObject };

export type NewDehydratedDevice = DehydratedDevice &
  KeyUpload & { readonly device_keys: JsonObject; readonly initial_device_display_name?: string };

/**
 * A device that nobody uses, and that takes messages until somebody logs in and takes them over. Each person has at most
 * one.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3814}
 */
export interface DehydratedDevices {
  /** Throws `dehydrated-device.not-found`. */
  get(userId: string): Promise<DehydratedDevice>;
  /** Replaces the one before, with all that belongs to it. */
  put(userId: string, device: NewDehydratedDevice): Promise<void>;
  /** Throws `dehydrated-device.not-found`. */
  remove(userId: string): Promise<string>;
  /** Messages for the device behind a place in its queue; what is before that is dropped. */
  messages(userId: string, deviceId: string, from: string | undefined, limit: number): Promise<ToDevicePage>;
}

type Dependencies = {
  readonly db: Database;
  readonly devices: Devices;
  readonly plan: PlanUpload;
  readonly queue: ToDeviceQueue;
  readonly now: () => number;
};

const maxData = 65_536;

export function createDehydratedDevices({ db, devices, plan, queue, now }: Dependencies): DehydratedDevices {
  async function find(userId: string): Promise<{ readonly device_id: string; readonly data: string }> {
    const row = await findDehydratedDevice(db, userId);
    if (row === undefined) throw new MatrixError('dehydrated-device.not-found');
    return row;
  }

  async function replace(userId: string, device: NewDehydratedDevice, data: string): Promise<void> {
    const { device_id: deviceId, initial_device_display_name: name } = device;
    await requireNoSigningKey(db, userId, deviceId);
    const previous = (await findDehydratedDevice(db, userId))?.device_id;
    const set = createWriteSet();
    // A device of the same ID is another one all the same.
    if (previous !== undefined) await devices.planRemoval(set, userId, [previous]);
    addDevice(set, { userId, deviceId, name, createdAt: now() });
    await plan(set, { userId, deviceId, added: { displayName: name } }, device);
    setDehydratedDevice(set, userId, { device_id: deviceId, data }, previous);
    await commitKeys(db, set, { userId, deviceId }, device);
  }

  return {
    async get(userId) {
      const { device_id: deviceId, data } = await find(userId);
      return { device_id: deviceId, device_data: JSON.parse(data) as JsonObject };
    },
    async put(userId, device) {
      checkDeviceId(device.device_id);
      if (device.initial_device_display_name !== undefined) checkDeviceName(device.initial_device_display_name);
      const data = JSON.stringify(device.device_data);
      if (data.length > maxData) throw new MatrixError('request.too-large');
      try {
        await unlessChanged(() => replace(userId, device, data));
      } catch (error) {
        if (!isGuardFailure(error, 'device.there')) throw error;
        throw new MatrixError('request.invalid-param', { message: 'Another device has this ID.' });
      }
    },
    async remove(userId) {
      const { device_id: deviceId } = await find(userId);
      await devices.remove(userId, [deviceId]);
      return deviceId;
    },
    async messages(userId, deviceId, from, limit) {
      const row = await find(userId);
      if (row.device_id !== deviceId) throw new MatrixError('dehydrated-device.not-found');
      return queue.take({ userId, deviceId }, from, limit);
    },
  };
}
