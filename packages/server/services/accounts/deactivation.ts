import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { deactivateAccount, requestErasure } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { leaveJob, removeAccountJob, startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { removeDelayedEventsOf } from '@portico/storage/stores/events/delayed-events.ts';
import { removeFinalisedOf } from '@portico/storage/stores/events/finalised-delayed-events.ts';
import { removeNoticeRoom } from '@portico/storage/stores/rooms/server-notice-rooms.ts';
import { removePushersOf } from '@portico/storage/stores/push/pushers.ts';
import { removeProfile } from '@portico/storage/stores/accounts/profile-fields.ts';
import { listThirdPartyIds, removeThirdPartyIdsOf } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { endLoginsUnderWay } from '@portico/storage/stores/accounts/logins-under-way.ts';
import type { Devices } from '../devices/devices.ts';
import type { UnbindResult } from '../identity/identity-client.ts';
import type { Bindings } from '../third-party-ids/bindings.ts';
import { profileJob } from '../profile/profiles.ts';
import { rejectInvitesJob } from '../privacy/reject-invites-job.ts';
import type { OwnPassword } from './own-password.ts';
import type { Sender } from './sender.ts';
import type { AuthData } from './uia.ts';

export interface Deactivation {
  /** Deactivates the sender's own account. */
  deactivateOwn(
    sender: Sender,
    request: { readonly auth?: AuthData; readonly erase?: boolean; readonly id_server?: string },
  ): Promise<UnbindResult>;
  /**
   * Deactivates an account without asking anybody. Throws `user.deactivated` if there is none, or it is already; what one has kept
   * that ended without erasure can still be erased.
   */
  deactivate(
    userId: string,
    options: { readonly erase: boolean },
    /** What is to hold, and to be written, with the end of the account. */
    also?: (set: WriteSet) => void,
  ): Promise<UnbindResult>;
}

type Dependencies = {
  readonly ownPassword: OwnPassword;
  readonly devices: Devices;
  readonly bindings: Bindings;
  readonly db: Database;
  readonly now: () => number;
};

/**
 * One commit ends the account: from then on nobody can log in to it, and it cannot join anything. Leaving its rooms is a
 * job that goes on until it is done, whatever happens to the process.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#account-deactivation}
 */
export function createDeactivation({ ownPassword, devices, bindings, db, now }: Dependencies): Deactivation {
  type Options = { readonly erase: boolean; readonly idServer?: string | undefined };

  async function deactivate(
    userId: string,
    { erase, idServer }: Options,
    also?: (set: WriteSet) => void,
    holds?: (set: WriteSet) => void,
  ): Promise<UnbindResult> {
    // Before the account ends, for then nobody could ask again.
    const unbound = await bindings.unbindAll(userId, await listThirdPartyIds(db, userId), idServer);
    const end = (set: WriteSet): void => {
      also?.(set);
      deactivateAccount(set, userId, now(), erase);
      removeProfile(set, userId);
      removeThirdPartyIdsOf(set, userId);
      endLoginsUnderWay(set, userId);
      removeDelayedEventsOf(set, userId);
      removeFinalisedOf(set, userId);
      removePushersOf(set, userId);
      removeNoticeRoom(set, userId);
      removeAccountJob(set, userId, profileJob);
      removeAccountJob(set, userId, rejectInvitesJob);
      startAccountJob(set, userId, leaveJob, now());
    };
    await devices.removeAllBut(userId, [], end, holds);
    return unbound;
  }

  return {
    async deactivateOwn(sender, { auth, erase = false, id_server: idServer }) {
      const { useUp, holds } = await ownPassword.require(sender, 'deactivate the account', auth, [erase]);
      return deactivate(sender.userId, { erase, idServer }, useUp, holds);
    },
    async deactivate(userId, { erase }, also) {
      const hasEnded = ((await findAccount(db, userId))?.deactivated_at ?? null) !== null;
      if (!hasEnded || !erase) return deactivate(userId, { erase }, also);
      const set = createWriteSet();
      also?.(set);
      requestErasure(set, userId, now());
      // Which is followed by the erasure, and begins with rooms that may not have been left yet.
      startAccountJob(set, userId, leaveJob, now());
      await db.commit(set);
      return 'success';
    },
  };
}
