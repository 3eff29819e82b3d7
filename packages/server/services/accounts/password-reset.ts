import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { setPasswordHash } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { endLoginsUnderWay } from '@portico/storage/stores/accounts/logins-under-way.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Devices } from '../devices/devices.ts';
import { emailStage } from '../third-party-ids/email-stage.ts';
import type { EmailValidations } from '../third-party-ids/validations.ts';
import type { PasswordChangeRequest } from './password-change.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { Challenge, Uia } from './uia.ts';

/** A new password for somebody who is not logged in, and has proved that an email address of the account is theirs. */
export interface PasswordReset {
  /** What is asked of those who have forgotten theirs. */
  readonly challenge: Challenge;
  reset(request: PasswordChangeRequest): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly uia: Uia;
  readonly validations: EmailValidations;
  readonly hasher: PasswordHasher;
  readonly devices: Devices;
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword} */
export function createPasswordReset({ db, uia, validations, hasher, devices }: Dependencies): PasswordReset {
  const challenge: Challenge = {
    operation: 'reset a password',
    flows: [['m.login.email.identity']],
    checks: { 'm.login.email.identity': emailStage(validations, 'reset') },
  };

  return {
    challenge,
    async reset({ new_password: password, logout_devices: logOut, auth }) {
      if (!validations.isAvailable) throw new MatrixError('token.missing');
      hasher.check(password);
      const { emailSession, useUp } = await uia.authorize(challenge, auth, [password, logOut !== false]);
      const row = await validations.findById('reset', emailSession ?? '');
      const userId = row && (await findThirdPartyOwner(db, 'email', row.address));
      // The address may have been taken from the account since.
      if (row === undefined || userId === undefined) throw new MatrixError('third-party.not-validated');
      const hash = await hasher.hash(password);
      const write = (set: WriteSet): void => {
        useUp(set);
        validations.useUp(set, row);
        setPasswordHash(set, userId, hash);
        endLoginsUnderWay(set, userId);
      };
      if (logOut !== false) return devices.removeAllBut(userId, [], write);
      const set = createWriteSet();
      write(set);
      await db.commit(set);
    },
  };
}
