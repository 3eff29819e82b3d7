import type { WriteSet } from '@portico/storage';
import { addSession } from '@portico/storage/stores/accounts/accounts-write.ts';
import { endLoginsUnderWay } from '@portico/storage/stores/accounts/logins-under-way.ts';
import { checkDeviceId, cutDeviceName, type Devices } from '../devices/devices.ts';
import { hashToken, newAccessToken } from './access-tokens.ts';
import type { Sender } from './sender.ts';

export type DeviceRequest = {
  readonly device_id?: string;
  readonly initial_device_display_name?: string;
  /** Whether the client can refresh its access token; without, the token does not expire. */
  readonly refresh_token?: boolean;
};

export type Session = {
  readonly user_id: string;
  readonly access_token: string;
  readonly device_id: string;
  readonly refresh_token?: string;
  readonly expires_in_ms?: number;
};

/** How long an access token lasts that can be refreshed. */
export const accessTokenLifetime = 60 * 60 * 1000;

export interface Sessions {
  /** Adds to a write set what logs somebody in who is new here. The token is worth something once the set is committed. */
  plan(set: WriteSet, userId: string, device: DeviceRequest): Session;
  /** The same for somebody who may have other devices. */
  planLogin(set: WriteSet, userId: string, device: DeviceRequest): Promise<Session>;
  logOut(sender: Sender): Promise<void>;
  logOutEverywhere(sender: Sender): Promise<void>;
}

type Dependencies = {
  readonly devices: Devices;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

/** Ten letters, as clients have come to expect of a device ID that people may have to compare. */
export function newDeviceId(randomBytes: (count: number) => Uint8Array): string {
  return Array.from(randomBytes(10), (byte) => String.fromCharCode(65 + (byte % 26))).join('');
}

export function createSessions({ devices, now, randomBytes }: Dependencies): Sessions {
  function plan(set: WriteSet, userId: string, device: DeviceRequest): Session {
    const deviceId = device.device_id ?? newDeviceId(randomBytes);
    checkDeviceId(deviceId);
    const token = newAccessToken(randomBytes);
    const refreshToken = device.refresh_token === true ? newAccessToken(randomBytes) : undefined;
    addSession(set, {
      userId,
      deviceId,
      deviceName: cutDeviceName(device.initial_device_display_name),
      tokenHash: hashToken(token),
      createdAt: now(),
      refresh: refreshToken === undefined ? undefined : refreshing(refreshToken),
    });
    return {
      user_id: userId,
      access_token: token,
      device_id: deviceId,
      ...(refreshToken !== undefined && { refresh_token: refreshToken, expires_in_ms: accessTokenLifetime }),
    };
  }

  return {
    plan,
    async planLogin(set, userId, device) {
      const session = plan(set, userId, device);
      await devices.arrive(set, userId, session.device_id);
      return session;
    },
    logOut: ({ userId, deviceId }) => devices.remove(userId, [deviceId]),
    logOutEverywhere: ({ userId }) => devices.removeAllBut(userId, [], (set) => endLoginsUnderWay(set, userId)),
  };

  function refreshing(refreshToken: string): { tokenHash: string; expiresAt: number } {
    return { tokenHash: hashToken(refreshToken), expiresAt: now() + accessTokenLifetime };
  }
}
