import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { setPasswordHash } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { endLoginsUnderWay } from '@portico/storage/stores/accounts/logins-under-way.ts';
import type { Devices } from '../devices/devices.ts';
import type { OwnPassword } from './own-password.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { Sender } from './sender.ts';
import type { AuthData } from './uia.ts';

export type PasswordChangeRequest = {
  readonly new_password: string;
  /** Whether other devices are logged out; they are unless it is `false`. */
  readonly logout_devices?: boolean;
  readonly auth?: AuthData;
};

export interface PasswordChange {
  change(sender: Sender, request: PasswordChangeRequest): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly ownPassword: OwnPassword;
  readonly hasher: PasswordHasher;
  readonly devices: Devices;
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword} */
export function createPasswordChange({ db, ownPassword, hasher, devices }: Dependencies): PasswordChange {
  return {
    async change(sender, { new_password: password, logout_devices: logOut, auth }) {
      hasher.check(password);
      const asked = [password, logOut !== false];
      const { useUp, holds } = await ownPassword.require(sender, 'change the password', auth, asked);
      const { userId, deviceId } = sender;
      const hash = await hasher.hash(password);
      const write = (set: WriteSet): void => {
        useUp(set);
        setPasswordHash(set, userId, hash);
        endLoginsUnderWay(set, userId);
      };
      if (logOut !== false) return devices.removeAllBut(userId, [deviceId], write, holds);
      const set = createWriteSet();
      write(set);
      await db.commit(set);
    },
  };
}
