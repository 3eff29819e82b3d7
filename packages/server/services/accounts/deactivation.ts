import { deactivateAccount } from '@portico/storage/stores/accounts-deactivate.ts';
import { removeAccountJob, startAccountJob } from '@portico/storage/stores/accounts-jobs.ts';
import { removeDelayedEventsOf } from '@portico/storage/stores/delayed-events.ts';
import { removeLoginTokens } from '@portico/storage/stores/login-tokens.ts';
import { removeNoticeRoom } from '@portico/storage/stores/server-notice-rooms.ts';
import { removePushersOf } from '@portico/storage/stores/pushers.ts';
import { removeProfile } from '@portico/storage/stores/profile-fields.ts';
import type { WriteSet } from '@portico/storage';
import type { Devices } from '../devices/devices.ts';
import { profileJob } from '../profile/profiles.ts';
import { leaveJob } from './leave-rooms-job.ts';
import { rejectInvitesJob } from '../privacy/reject-invites-job.ts';
import type { OwnPassword } from './own-password.ts';
import type { Sender } from './sender.ts';
import type { AuthData } from './uia.ts';

export interface Deactivation {
  /** Deactivates the sender's own account. */
  deactivateOwn(sender: Sender, request: { readonly auth?: AuthData; readonly erase?: boolean }): Promise<void>;
  /** Deactivates an account without asking anybody. Throws `user.deactivated` if there is none, or it is already. */
  deactivate(userId: string, options: { readonly erase: boolean }): Promise<void>;
}

type Dependencies = {
  readonly ownPassword: OwnPassword;
  readonly devices: Devices;
  readonly now: () => number;
};

/**
 * One commit ends the account: from then on nobody can log in to it, and it cannot join anything. Leaving its rooms is a
 * job that goes on until it is done, whatever happens to the process.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#account-deactivation}
 */
export function createDeactivation({ ownPassword, devices, now }: Dependencies): Deactivation {
  function deactivate(userId: string, erase: boolean, also?: (set: WriteSet) => void): Promise<void> {
    return devices.removeAllBut(userId, [], (set) => {
      also?.(set);
      deactivateAccount(set, userId, now(), erase);
      removeProfile(set, userId);
      removeLoginTokens(set, userId);
      removeDelayedEventsOf(set, userId);
      removePushersOf(set, userId);
      removeNoticeRoom(set, userId);
      removeAccountJob(set, userId, profileJob);
      removeAccountJob(set, userId, rejectInvitesJob);
      startAccountJob(set, userId, leaveJob, now());
    });
  }

  return {
    async deactivateOwn(sender, { auth, erase = false }) {
      const { useUp } = await ownPassword.require(sender, 'deactivate the account', auth);
      await deactivate(sender.userId, erase, useUp);
    },
    deactivate: (userId, { erase }) => deactivate(userId, erase),
  };
}
