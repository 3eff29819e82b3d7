import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import type { ValidationRow } from '@portico/storage/stores/accounts/email-validations.ts';
import { emailAppId } from '@portico/protocol/push/pusher.ts';
import { removePusher } from '@portico/storage/stores/push/pushers.ts';
import {
  addThirdPartyId,
  findThirdPartyOwner,
  listThirdPartyIds,
  removeThirdPartyId,
  type ThirdPartyIdRow,
} from '@portico/storage/stores/accounts/third-party-ids.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { OwnPassword } from '../accounts/own-password.ts';
import type { Sender } from '../accounts/sender.ts';
import type { AuthData } from '../accounts/uia.ts';
import type { Identifier, UnbindResult } from '../identity/identity-client.ts';
import type { Bindings } from './bindings.ts';
import { canonical } from './canonical.ts';
import type { Credentials, EmailValidations } from './validations.ts';

/** The email addresses of an account. */
export interface ThirdPartyIds {
  list(userId: string): Promise<readonly ThirdPartyIdRow[]>;
  /** Adds an address that was proved. Asks for the password, and throws `third-party.not-validated` where it was not. */
  add(sender: Sender, request: Credentials & { readonly auth?: AuthData }): Promise<void>;
  /** Whether `add` would find the address proved. */
  isValidated(credentials: Credentials): Promise<boolean>;
  /** Takes an address away, and what was published of it at identity servers. */
  remove(userId: string, identifier: Identifier, idServer: string | undefined): Promise<UnbindResult>;
  /** Adds to a write set what takes an address away, whatever is published of it. */
  planRemoval(set: WriteSet, userId: string, identifier: Identifier): void;
}

type Dependencies = {
  readonly db: Database;
  readonly ownPassword: OwnPassword;
  readonly validations: EmailValidations;
  readonly bindings: Bindings;
  readonly now: () => number;
};

export const maxAddresses = 50;

export function createThirdPartyIds(dependencies: Dependencies): ThirdPartyIds {
  const { db, ownPassword, validations, bindings, now } = dependencies;

  function planRemoval(set: WriteSet, userId: string, { medium, address }: Identifier): void {
    removeThirdPartyId(set, userId, medium, address);
    removePusher(set, { userId, appId: emailAppId, pushkey: address });
  }

  return {
    list: (userId) => listThirdPartyIds(db, userId),
    async add(sender, { auth, ...credentials }) {
      const row = await validations.find('add', credentials);
      if (row === undefined) throw new MatrixError('third-party.not-validated');
      const asked = [credentials.sid, credentials.client_secret];
      const { useUp } = await ownPassword.require(sender, 'add an email address', auth, asked);
      if ((await listThirdPartyIds(db, sender.userId)).length >= maxAddresses) {
        throw new MatrixError('third-party.too-many');
      }
      const set = createWriteSet();
      useUp(set);
      validations.useUp(set, row);
      const owner = await findThirdPartyOwner(db, 'email', row.address);
      // Once more would change nothing.
      if (owner !== sender.userId) addProvedEmail(set, sender.userId, row, now());
      await db.commit(set);
    },
    isValidated: async (credentials) => (await validations.find('add', credentials)) !== undefined,
    async remove(userId, given, idServer) {
      const identifier = canonical(given);
      const result = await bindings.unbind(userId, [identifier], idServer);
      const set = createWriteSet();
      planRemoval(set, userId, identifier);
      await db.commit(set);
      return result;
    },
    planRemoval,
  };
}

/** Gives somebody the address that a validation has proved. Fails on the guard `third-party.taken`. */
export function addProvedEmail(set: WriteSet, userId: string, row: ValidationRow, now: number): void {
  const validatedAt = row.validated_at ?? now;
  addThirdPartyId(set, { userId, medium: 'email', address: row.address, validatedAt, addedAt: now });
}
