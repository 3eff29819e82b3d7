import type { Database, WriteSet } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { OwnChallenge, OwnPassword } from '../accounts/own-password.ts';
import type { Uia } from '../accounts/uia.ts';
import { requireOpenAccount } from './standing.ts';

/** The stage of user-interactive authentication that is passed by logging in by way of a provider. */
export interface Confirmations {
  /** What a session asks of somebody. Throws `sso.over` where it is nothing that is confirmed this way. */
  find(session: string): Promise<OwnChallenge>;
  /** Passes the stage. `also` is committed with it. */
  pass(session: string, also: (set: WriteSet) => void): Promise<void>;
}

type Dependencies = { readonly db: Database; readonly uia: Uia; readonly ownPassword: OwnPassword };

const stage = 'm.login.sso';

export function createConfirmations({ db, uia, ownPassword }: Dependencies): Confirmations {
  async function find(session: string): Promise<OwnChallenge> {
    const operation = await uia.operationOf(session);
    const challenge = operation === undefined ? undefined : await ownPassword.findChallenge(operation);
    if (challenge === undefined || !Object.hasOwn(challenge.checks, stage)) throw new MatrixError('sso.over');
    return challenge;
  }

  return {
    find,
    async pass(session, also) {
      const challenge = await find(session);
      await requireOpenAccount(db, challenge.userId);
      await uia.complete(challenge, session, stage, also);
    },
  };
}
