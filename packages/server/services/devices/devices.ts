import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  addDevice,
  type DeviceRow,
  findDevice,
  listDeviceIds,
  listDevices,
  listShortestUsed,
  removeDevices,
  renameDevice,
  requireNoOtherDevices,
} from '@portico/storage/stores/devices/devices.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import { cutText } from '../cut-text.ts';
import { unlessChanged } from './unless-changed.ts';

export type Device = {
  readonly device_id: string;
  readonly display_name?: string;
  readonly last_seen_ip?: string;
  readonly last_seen_ts?: number;
};

/** Adds to the write set that deletes devices what else goes with them: keys, pushers, messages that wait for them. */
export type OnDevicesDeleted = (set: WriteSet, userId: string, deviceIds: readonly string[]) => void | Promise<void>;

/** Adds to the write set that makes a device whom else that concerns. Throws for an ID that no device may have. */
export type OnDeviceAdded = (set: WriteSet, userId: string, deviceId: string) => Promise<void>;

/** Adds to the write set that renames a device whom else that concerns. */
export type OnDeviceRenamed = (set: WriteSet, userId: string, deviceId: string, name: string) => void | Promise<void>;

export interface Devices {
  /** At most a thousand, by ID. */
  list(userId: string): Promise<Device[]>;
  /** Throws `device.not-found`. */
  get(userId: string, deviceId: string): Promise<Device>;
  /** Throws `device.not-found`. */
  rename(userId: string, deviceId: string, name: string): Promise<void>;
  /** Makes a device that nobody is logged in on, unless there is one of this ID. */
  add(userId: string, deviceId: string, name: string | undefined): Promise<'added' | 'there'>;
  /**
   * Adds to the write set that logs somebody in on a device what follows if it is a new one. Before somebody has one more
   * than a thousand, those are deleted that they used for the shortest time, but for the newest ones.
   */
  arrive(set: WriteSet, userId: string, deviceId: string): Promise<void>;
  /** Adds to a write set what deletes devices with all that belongs to them. */
  planRemoval(set: WriteSet, userId: string, deviceIds: readonly string[]): Promise<void>;
  /** Deletes devices with all that belongs to them, together with whatever `also` adds to the write set. */
  remove(userId: string, deviceIds: readonly string[], also?: (set: WriteSet) => void | Promise<void>): Promise<void>;
  /**
   * Deletes all devices but those to keep. With `also`, those that were used last: where there are more, the others go before, a few
   * with each commit, since each may have thousands of keys and messages, and everybody else's commits wait; `holds` adds to each of these what has to
   * hold.
   */
  removeAllBut(
    userId: string,
    kept: readonly string[],
    also?: (set: WriteSet) => void,
    holds?: (set: WriteSet) => void,
  ): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly onDeleted: readonly OnDevicesDeleted[];
  readonly now: () => number;
  readonly onAdded?: OnDeviceAdded | undefined;
  readonly onRenamed?: OnDeviceRenamed | undefined;
  readonly mostDevices?: number;
};

const maxDeviceNameLength = 100;

/** Of a client that only suggests one. */
export function cutDeviceName(name: string | undefined): string | undefined {
  return name === undefined ? undefined : cutText(name, maxDeviceNameLength);
}
const maxDeviceIdLength = 255;
/** Other servers take no more of one person. */
const maxDevices = 1000;

/** Devices that are deleted with one commit. More than that of which other servers are told one by one. */
const perCommit = 25;

export function createDevices(dependencies: Dependencies): Devices {
  const { db, onDeleted, onAdded, onRenamed, now, mostDevices = maxDevices } = dependencies;
  async function planRemoval(set: WriteSet, userId: string, deviceIds: readonly string[]): Promise<void> {
    removeDevices(set, userId, deviceIds);
    for (const hook of onDeleted) await hook(set, userId, deviceIds);
  }

  async function remove(
    userId: string,
    deviceIds: readonly string[],
    also?: (set: WriteSet) => void | Promise<void>,
  ): Promise<void> {
    await unlessChanged(async () => {
      const set = createWriteSet();
      await also?.(set);
      await planRemoval(set, userId, deviceIds);
      await db.commit(set);
    });
  }

  async function makeRoom(userId: string): Promise<void> {
    const brief = await listShortestUsed(db, userId, mostDevices - 1);
    if (brief.length > 0) await remove(userId, brief);
  }

  return {
    async arrive(set, userId, deviceId) {
      await makeRoom(userId);
      if ((await findDevice(db, userId, deviceId)) === undefined) await onAdded?.(set, userId, deviceId);
    },
    planRemoval,
    remove,
    list: async (userId) => (await listDevices(db, userId)).map(toDevice),
    async get(userId, deviceId) {
      const row = await findDevice(db, userId, deviceId);
      if (row === undefined) throw new MatrixError('device.not-found');
      return toDevice(row);
    },
    async rename(userId, deviceId, name) {
      checkDeviceName(name);
      await unlessChanged(async () => {
        const set = createWriteSet();
        renameDevice(set, userId, deviceId, name);
        await onRenamed?.(set, userId, deviceId, name);
        await db.commit(set);
      });
    },
    async add(userId, deviceId, name) {
      checkDeviceId(deviceId);
      if (name !== undefined) checkDeviceName(name);
      if ((await findDevice(db, userId, deviceId)) !== undefined) return 'there';
      await makeRoom(userId);
      const set = createWriteSet();
      await onAdded?.(set, userId, deviceId);
      addDevice(set, { userId, deviceId, name, createdAt: now() });
      try {
        await db.commit(set);
        return 'added';
      } catch (error) {
        if (!isGuardFailure(error, 'device.there')) throw error;
        return 'there';
      }
    },
    async removeAllBut(userId, kept, also, holds) {
      const all = (await listDeviceIds(db, userId)).filter((id) => !kept.includes(id));
      for (let at = 0; at + perCommit < all.length; at += perCommit)
        await remove(userId, all.slice(at, at + perCommit), holds);
      await unlessChanged(async () => {
        const ids = (await listDeviceIds(db, userId)).filter((id) => !kept.includes(id));
        const set = createWriteSet();
        also?.(set);
        requireNoOtherDevices(set, userId, [...ids, ...kept]);
        await planRemoval(set, userId, ids);
        await db.commit(set);
      });
    },
  };
}

export function checkDeviceName(name: string): void {
  if (name.length <= maxDeviceNameLength) return;
  const message = `A device's name has at most ${maxDeviceNameLength} characters.`;
  throw new MatrixError('request.invalid-param', { message });
}

export function checkDeviceId(deviceId: string): void {
  if (deviceId !== '' && deviceId.length <= maxDeviceIdLength) return;
  const message = `device_id must have 1 to ${maxDeviceIdLength} characters.`;
  throw new MatrixError('request.invalid-param', { message });
}

function toDevice(row: DeviceRow): Device {
  return {
    device_id: row.device_id,
    ...(row.display_name !== null && { display_name: row.display_name }),
    ...(row.last_seen_ip !== null && { last_seen_ip: row.last_seen_ip }),
    ...(row.last_seen_at !== null && { last_seen_ts: row.last_seen_at }),
  };
}
