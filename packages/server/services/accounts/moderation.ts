import { serverNameOf } from '@portico/protocol/ids/user-id.ts';
import { createWriteSet, type Database } from '@portico/storage';
import {
  findModerated,
  setModerated,
  type ModeratedRow,
} from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** Locked: nothing can be done with the account but logging out. Suspended: it can be read with, and little else. */
export type Measure = 'locked' | 'suspended';

/** What administrators do about the accounts of others. */
export interface Moderation {
  isInForce(userId: string, measure: Measure): Promise<boolean>;
  set(userId: string, measure: Measure, isOn: boolean): Promise<void>;
}

type Dependencies = { readonly db: Database; readonly serverName: string };

/**
 * {@link https://spec.matrix.org/v1.19/client-server-api/#account-locking},
 * {@link https://spec.matrix.org/v1.19/client-server-api/#account-suspension}
 */
export function createModeration({ db, serverName }: Dependencies): Moderation {
  /** Throws for everyone whom no measure can be taken against; their own account is an administrator's too. */
  async function get(userId: string): Promise<ModeratedRow> {
    if (serverNameOf(userId) !== serverName) throw new MatrixError('user.not-local');
    const row = await findModerated(db, userId);
    if (row === undefined || row.deactivated_at !== null) throw new MatrixError('user.not-found');
    if (row.is_admin === 1) throw new MatrixError('user.not-moderated');
    return row;
  }

  return {
    isInForce: async (userId, measure) => (await get(userId))[measure] === 1,
    async set(userId, measure, isOn) {
      await get(userId);
      const set = createWriteSet();
      setModerated(set, userId, measure, isOn);
      await db.commit(set);
    },
  };
}
