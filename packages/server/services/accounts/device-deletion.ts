import type { Devices } from '../devices/devices.ts';
import type { OwnPassword } from './own-password.ts';
import type { Sender } from './sender.ts';
import type { AuthData } from './uia.ts';

export interface DeviceDeletion {
  /** Deletes devices of the sender, who must prove to be the account's owner. */
  delete(sender: Sender, deviceIds: readonly string[], auth: AuthData | undefined): Promise<void>;
}

type Dependencies = { readonly ownPassword: OwnPassword; readonly devices: Devices };

export function createDeviceDeletion({ ownPassword, devices }: Dependencies): DeviceDeletion {
  return {
    async delete(sender, deviceIds, auth) {
      const { useUp } = await ownPassword.require(sender, 'delete devices', auth, [...deviceIds].sort());
      await devices.remove(sender.userId, deviceIds, useUp);
    },
  };
}
