import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { endLoginsUnderWay } from '@portico/storage/stores/accounts/logins-under-way.ts';
import {
  addExternalId,
  type ExternalId,
  type ExternalIdRow,
  findExternalOwner,
  listExternalIds,
  removeExternalIdUnlessLast,
} from '@portico/storage/stores/accounts/external-ids.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { maxExternalIds } from '../accounts/login-ways.ts';
import type { OwnPassword } from '../accounts/own-password.ts';
import type { Sender } from '../accounts/sender.ts';
import type { AuthData } from '../accounts/uia.ts';

/** What leads to an account from other services. */
export interface ExternalLinks {
  list(userId: string): Promise<readonly ExternalIdRow[]>;
  /** Throws `external-id.taken` and `external-id.too-many`. */
  checkFree(userId: string, id: ExternalId): Promise<void>;
  /** Throws `external-id.taken`. `also` is committed with it. */
  add(userId: string, id: ExternalId, also: (set: WriteSet) => void): Promise<void>;
  /** Asks who they are, and throws `external-id.last` where they could not log in any more. */
  remove(sender: Sender, id: ExternalId, auth: AuthData | undefined): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  /** The IDs of those that people can log in by. */
  readonly providers: readonly string[];
  readonly ownPassword: OwnPassword;
  readonly now: () => number;
};

export function createExternalLinks({ db, providers, ownPassword, now }: Dependencies): ExternalLinks {
  return {
    list: (userId) => listExternalIds(db, userId),
    async checkFree(userId, id) {
      if ((await findExternalOwner(db, id)) !== undefined) throw new MatrixError('external-id.taken');
      if ((await listExternalIds(db, userId)).length >= maxExternalIds) throw new MatrixError('external-id.too-many');
    },
    async add(userId, id, also) {
      const set = createWriteSet();
      also(set);
      addExternalId(set, userId, id, now());
      await db.commit(set);
    },
    async remove(sender, id, auth) {
      if ((await findExternalOwner(db, id)) !== sender.userId) throw new MatrixError('external-id.unknown');
      const asked = [id.provider, id.subject];
      const { useUp } = await ownPassword.require(sender, 'stop logging in by way of another service', auth, asked);
      const set = createWriteSet();
      useUp(set);
      endLoginsUnderWay(set, sender.userId);
      removeExternalIdUnlessLast(set, sender.userId, id, providers);
      await db.commit(set);
    },
  };
}
