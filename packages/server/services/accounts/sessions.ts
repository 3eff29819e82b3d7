import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { addSession, removeAllDevices, removeDevice } from '@portico/storage/stores/accounts-write.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken, newAccessToken } from './access-tokens.ts';
import type { Sender } from './sender.ts';

export type DeviceRequest = {
  readonly device_id?: string;
  readonly initial_device_display_name?: string;
};

export type Session = { readonly user_id: string; readonly access_token: string; readonly device_id: string };

export interface Sessions {
  /** Adds to a write set what logs a device in. The token is worth something once the set is committed. */
  plan(set: WriteSet, userId: string, device: DeviceRequest): Session;
  logOut(sender: Sender): Promise<void>;
  logOutEverywhere(sender: Sender): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

const maxDeviceIdLength = 255;
const maxDeviceNameLength = 100;

/** Ten letters, as clients have come to expect of a device ID that people may have to compare. */
export function newDeviceId(randomBytes: (count: number) => Uint8Array): string {
  return Array.from(randomBytes(10), (byte) => String.fromCharCode(65 + (byte % 26))).join('');
}

export function createSessions({ db, now, randomBytes }: Dependencies): Sessions {
  return {
    plan(set, userId, device) {
      const deviceId = device.device_id ?? newDeviceId(randomBytes);
      if (deviceId === '' || deviceId.length > maxDeviceIdLength) {
        throw new MatrixError('request.invalid-param', {
          message: `device_id must have 1 to ${maxDeviceIdLength} characters.`,
        });
      }
      const token = newAccessToken(randomBytes);
      addSession(set, {
        userId,
        deviceId,
        deviceName: device.initial_device_display_name?.slice(0, maxDeviceNameLength),
        tokenHash: hashToken(token),
        createdAt: now(),
      });
      return { user_id: userId, access_token: token, device_id: deviceId };
    },
    async logOut({ userId, deviceId }) {
      const set = createWriteSet();
      removeDevice(set, userId, deviceId);
      await db.commit(set);
    },
    async logOutEverywhere({ userId }) {
      const set = createWriteSet();
      removeAllDevices(set, userId);
      await db.commit(set);
    },
  };
}
