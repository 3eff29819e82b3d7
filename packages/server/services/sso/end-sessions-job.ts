import type { Reader } from '@portico/storage';
import { listLoggedOut, type ReceivedLogout } from '@portico/storage/stores/accounts/provider-sessions.ts';
import type { SteppedJobKind } from '../accounts/account-jobs.ts';
import type { Devices } from '../devices/devices.ts';

/** The job that deletes the devices that a provider has ended, on which nobody is in any more; followed by what says which logout it was. */
export const endSessionsJob = 'end-sessions';

type Dependencies = {
  readonly db: Reader;
  readonly devices: Pick<Devices, 'remove'>;
  readonly log: { warn(details: object, message: string): void };
};

/** Devices that are deleted with one commit. */
const perCommit = 25;
const firstDelay = 1000;
const longestDelay = 60 * 60_000;

export function createEndSessionsJob({ db, devices, log }: Dependencies): SteppedJobKind {
  return {
    async work(_userId, { details, attempts, isEnding, isTurnOver }) {
      const { logout, receivedAt } = JSON.parse(details ?? '{}') as ReceivedLogout;
      try {
        while (!isEnding() && !isTurnOver()) {
          const rows = await listLoggedOut(db, logout, receivedAt, perCommit);
          if (rows.length === 0) return true;
          for (const [userId, theirs] of Map.groupBy(rows, ({ user_id: of }) => of)) {
            const ids = theirs.map(({ device_id: deviceId }) => deviceId);
            await devices.remove(userId, ids);
          }
        }
        return false;
      } catch (error) {
        const { provider } = logout;
        log.warn({ err: error, provider }, 'Devices that a provider has ended could not be deleted');
        return { againIn: Math.min(firstDelay * 2 ** attempts, longestDelay) };
      }
    },
  };
}
