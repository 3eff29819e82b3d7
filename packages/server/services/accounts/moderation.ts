import { isUserId, serverNameOf } from '@portico/protocol/ids/user-id.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  findModerated,
  refuseAdministrator,
  setModerated,
  type ModeratedRow,
} from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { UnbindResult } from '../identity/identity-client.ts';
import type { Deactivation } from './deactivation.ts';

/** Locked: nothing can be done with the account but logging out. Suspended: it can be read with, and little else. */
export type Measure = 'locked' | 'suspended';

/** What administrators do about the accounts of others. */
export interface Moderation {
  isInForce(userId: string, measure: Measure): Promise<boolean>;
  set(userId: string, measure: Measure, isOn: boolean): Promise<void>;
  /** Deactivates the account, together with whatever `also` writes before. Throws `user.deactivated` if it is already. */
  end(userId: string, options: { readonly erase: boolean }, also?: (set: WriteSet) => void): Promise<UnbindResult>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly deactivation: Pick<Deactivation, 'deactivate'>;
};

/**
 * {@link https://spec.matrix.org/v1.19/client-server-api/#account-locking},
 * {@link https://spec.matrix.org/v1.19/client-server-api/#account-suspension}
 */
export function createModeration({ db, serverName, deactivation }: Dependencies): Moderation {
  /** Throws for everyone against whom no measure can be taken; their own account is an administrator's too. */
  async function get(userId: string): Promise<ModeratedRow> {
    if (!isUserId(userId) || serverNameOf(userId) !== serverName) throw new MatrixError('user.not-local');
    const row = await findModerated(db, userId);
    if (row === undefined) throw new MatrixError('user.not-found');
    if (row.is_admin === 1) throw new MatrixError('user.not-moderated');
    return row;
  }

  async function getActive(userId: string): Promise<ModeratedRow> {
    const row = await get(userId);
    if (row.deactivated_at !== null) throw new MatrixError('user.not-found');
    return row;
  }

  return {
    isInForce: async (userId, measure) => (await getActive(userId))[measure] === 1,
    async set(userId, measure, isOn) {
      await getActive(userId);
      const set = createWriteSet();
      setModerated(set, userId, measure, isOn);
      await db.commit(set);
    },
    async end(userId, options, also) {
      await get(userId);
      return deactivation.deactivate(userId, options, (set) => {
        refuseAdministrator(set, userId);
        also?.(set);
      });
    },
  };
}
