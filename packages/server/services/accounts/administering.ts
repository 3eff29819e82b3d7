import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import { type ServerName } from '@portico/protocol/ids/server-name.ts';
import { isUserId, localpartOf, serverNameOf } from '@portico/protocol/ids/user-id.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import {
  addExternalId,
  type ExternalId,
  findExternalOwner,
  removeExternalId,
} from '@portico/storage/stores/accounts/external-ids.ts';
import {
  demoteAdmin,
  findModerated,
  refuseAdministrator,
  setAdmin,
  setModerated,
} from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { addThirdPartyId, findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { endLoginsUnderWay } from '@portico/storage/stores/accounts/logins-under-way.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Devices } from '../devices/devices.ts';
import { parseProfileValue } from '../profile/profile-value.ts';
import type { Profiles } from '../profile/profiles.ts';
import type { Bindings } from '../third-party-ids/bindings.ts';
import type { ThirdPartyIds } from '../third-party-ids/third-party-ids.ts';
import type { AccountCare } from './account-care.ts';
import { maxExternalIds } from './login-ways.ts';
import type { Moderation } from './moderation.ts';
import type { PasswordHasher } from './password-hasher.ts';
import {
  type AccountChanges,
  checkDemotion,
  isOfOrdinary,
  parseEmails,
  planChanges,
  type PlannedChanges,
  refusedParam,
} from './planned-changes.ts';
import type { Registration } from './registration.ts';

/**
 * What administrators do to accounts over HTTP. They get into nobody's account without it being noticed: with a new password, and with
 * another service by way of which somebody logs in, all devices are logged out, and there is no other way. Nor does anybody get into an administrator's who has stolen a session of another:
 * throws `user.not-moderated`.
 */
export interface Administering {
  /** Makes the account if it is not there, and changes it otherwise: all or nothing. Answers whether it was made. */
  put(administrator: string, userId: string, changes: AccountChanges): Promise<boolean>;
  setAdmin(administrator: string, userId: string, isAdmin: boolean): Promise<void>;
  setPassword(userId: string, password: string): Promise<void>;
  /** Logs devices out; those that they do not have are no matter. */
  logOut(administrator: string, userId: string, deviceIds: readonly string[]): Promise<void>;
  /** Whose an address is. Throws `user.not-found`. */
  findByEmail(address: string): Promise<string>;
  /** Whose account is linked with who somebody is at a service. Throws `user.not-found`. */
  findByExternalId(id: ExternalId): Promise<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: ServerName;
  /** The IDs of the services by way of which people log in. */
  readonly providers: readonly string[];
  readonly bindings: Bindings;
  readonly care: AccountCare;
  readonly devices: Devices;
  readonly hasher: PasswordHasher;
  readonly moderation: Moderation;
  readonly profiles: Profiles;
  readonly registration: Registration;
  readonly thirdPartyIds: ThirdPartyIds;
  readonly now: () => number;
};

export function createAdministering(dependencies: Dependencies): Administering {
  const { db, serverName, bindings, care, devices, hasher, moderation, profiles, registration } = dependencies;
  const { thirdPartyIds, now } = dependencies;

  async function requireOrdinary(userId: string): Promise<void> {
    const account = await findModerated(db, userId);
    if (account === undefined) throw new MatrixError('user.not-found');
    if (account.is_admin === 1) throw new MatrixError('user.not-moderated');
  }

  /** Throws unless there are such services, and nobody has more links than they may have. */
  function checkExternalIds(ids: readonly ExternalId[], all: number): void {
    const unknown = ids.find(({ provider }) => !dependencies.providers.includes(provider));
    if (unknown !== undefined) throw refusedParam(`There is no provider ${unknown.provider} here.`);
    if (all > maxExternalIds) throw new MatrixError('external-id.too-many');
  }

  async function make(userId: string, changes: AccountChanges): Promise<void> {
    if (changes.isDeactivated === true) throw refusedParam('An account that has ended cannot be made.');
    if (changes.isAdmin === true && changes.isLocked === true) throw new MatrixError('user.not-moderated');
    const emails = parseEmails(changes.emails ?? []);
    const { externalIds = [] } = changes;
    checkExternalIds(externalIds, externalIds.length);
    parseProfileValue('displayname', changes.displayName ?? '');
    const avatar = parseProfileValue('avatar_url', changes.avatarUrl ?? '');
    const name = localpartOf(userId);
    if (name !== name.toLowerCase()) throw new MatrixError('user.invalid-name');
    const user = {
      name,
      password: changes.password,
      isAdmin: changes.isAdmin ?? false,
      userType: changes.userType ?? undefined,
      displayName: changes.displayName,
    };
    await registration.create(user, (set) => {
      for (const address of emails) {
        addThirdPartyId(set, { userId, medium: 'email', address, validatedAt: now(), addedAt: now() });
      }
      for (const id of externalIds) addExternalId(set, userId, id, now());
      if (avatar !== undefined) profiles.planField(set, userId, 'avatar_url', avatar);
      if (changes.isLocked === true) setModerated(set, userId, 'locked', true);
    });
  }

  /** An account is locked before it becomes what cannot be locked. */
  function writeChanges(set: WriteSet, userId: string, planned: PlannedChanges): void {
    refuseDeactivated(set, userId);
    if (isOfOrdinary(planned)) refuseAdministrator(set, userId);
    for (const { key, value } of planned.profile) profiles.planField(set, userId, key, value);
    for (const id of planned.removedExternalIds) removeExternalId(set, userId, id);
    if (planned.removedExternalIds.length > 0) endLoginsUnderWay(set, userId);
    for (const id of planned.addedExternalIds) addExternalId(set, userId, id, now());
    for (const address of planned.removedEmails) thirdPartyIds.planRemoval(set, userId, { medium: 'email', address });
    if (planned.isLocked !== undefined) setModerated(set, userId, 'locked', planned.isLocked);
    if (planned.isAdmin === true) setAdmin(set, userId, true);
    if (planned.isAdmin === false) demoteAdmin(set, userId);
  }

  async function change(userId: string, planned: PlannedChanges): Promise<void> {
    const { password, removedEmails, addedExternalIds, ends } = planned;
    const also = (set: WriteSet): void => writeChanges(set, userId, planned);
    if (password !== undefined) hasher.check(password);
    if (ends) {
      // Which takes the password and the addresses as well.
      await moderation.end(userId, { erase: false }, also);
      return;
    }
    if (removedEmails.length > 0) {
      // What other servers publish cannot be part of a commit; once the address has gone, nobody could ask them again.
      const identifiers = removedEmails.map((address) => ({ medium: 'email', address }));
      await bindings.unbind(userId, identifiers, undefined);
    }
    if (password !== undefined) return care.setPassword(userId, password, { keepsDevices: false, also });
    if (addedExternalIds.length > 0) {
      return devices.removeAllBut(userId, [], (set) => {
        also(set);
        endLoginsUnderWay(set, userId);
      });
    }
    const set = createWriteSet();
    also(set);
    await db.commit(set);
  }

  return {
    async put(administrator, userId, changes) {
      if (!isUserId(userId) || serverNameOf(userId) !== serverName) throw new MatrixError('user.not-local');
      if ((await findAccount(db, userId)) === undefined) {
        await make(userId, changes);
        return true;
      }
      const [before, profile] = await Promise.all([care.describe(userId), profiles.memberProfile(userId)]);
      if (before.deactivatedAt !== undefined) throw new MatrixError('user.deactivated');
      const planned = planChanges({ administrator, userId }, { before, profile }, changes);
      checkExternalIds(planned.addedExternalIds, changes.externalIds?.length ?? 0);
      await change(userId, planned);
      return false;
    },
    async setAdmin(administrator, userId, isAdmin) {
      checkDemotion({ administrator, userId }, isAdmin);
      if (isAdmin) await care.setAdmin(userId, true);
      else await care.demote(userId);
    },
    async setPassword(userId, password) {
      await requireOrdinary(userId);
      await care.setPassword(userId, password, {
        keepsDevices: false,
        also: (set: WriteSet) => refuseAdministrator(set, userId),
      });
    },
    async logOut(administrator, userId, deviceIds) {
      if (administrator !== userId) await requireOrdinary(userId);
      await devices.remove(userId, deviceIds);
    },
    async findByEmail(given) {
      const address = parseEmailAddress(given);
      const owner = address === undefined ? undefined : await findThirdPartyOwner(db, 'email', address);
      if (owner === undefined) throw new MatrixError('user.not-found');
      return owner;
    },
    async findByExternalId(id) {
      const owner = await findExternalOwner(db, id);
      if (owner === undefined) throw new MatrixError('user.not-found');
      return owner;
    },
  };
}
