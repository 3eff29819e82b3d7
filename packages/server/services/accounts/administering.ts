import type { JsonObject } from '@portico/protocol';
import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import { type ServerName } from '@portico/protocol/ids/server-name.ts';
import { isUserId, localpartOf, serverNameOf } from '@portico/protocol/ids/user-id.ts';
import type { Database, WriteSet } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { findModerated, refuseAdministrator } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { addThirdPartyId, findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Devices } from '../devices/devices.ts';
import { parseProfileValue } from '../profile/profile-value.ts';
import type { Profiles } from '../profile/profiles.ts';
import { maxAddresses } from '../third-party-ids/third-party-ids.ts';
import type { AccountCare, AccountState } from './account-care.ts';
import type { Moderation } from './moderation.ts';
import type { Registration } from './registration.ts';

/** What is `undefined` stays as it is. */
export type AccountChanges = {
  readonly password: string | undefined;
  /** Empty for none. */
  readonly displayName: string | undefined;
  readonly avatarUrl: string | undefined;
  /** All of them. To an account that is there nobody but its owner adds any. */
  readonly emails: readonly string[] | undefined;
  readonly isAdmin: boolean | undefined;
  readonly isLocked: boolean | undefined;
  readonly isDeactivated: boolean | undefined;
  /** Said when the account is made. */
  readonly userType: string | null | undefined;
};

/**
 * What administrators do to accounts over HTTP. They get into nobody's account without it being noticed: with a new password all devices
 * are logged out, and there is no other way. Nor does anybody get into an administrator's who has stolen a session of another:
 * throws `user.not-moderated`.
 */
export interface Administering {
  /** Makes the account if it is not there, and changes it otherwise. Answers whether it was made. */
  put(administrator: string, userId: string, changes: AccountChanges): Promise<boolean>;
  setAdmin(administrator: string, userId: string, isAdmin: boolean): Promise<void>;
  setPassword(userId: string, password: string): Promise<void>;
  /** Logs devices out; those that they do not have are no matter. */
  logOut(administrator: string, userId: string, deviceIds: readonly string[]): Promise<void>;
  /** Whose an address is. Throws `user.not-found`. */
  findByEmail(address: string): Promise<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: ServerName;
  readonly care: AccountCare;
  readonly devices: Devices;
  readonly moderation: Moderation;
  readonly profiles: Profiles;
  readonly registration: Registration;
  readonly now: () => number;
};

type Step = () => Promise<unknown>;

export function createAdministering(dependencies: Dependencies): Administering {
  const { db, serverName, care, devices, moderation, profiles, registration, now } = dependencies;

  async function requireOrdinary(userId: string): Promise<void> {
    const account = await findModerated(db, userId);
    if (account === undefined) throw new MatrixError('user.not-found');
    if (account.is_admin === 1) throw new MatrixError('user.not-moderated');
  }

  async function setPassword(userId: string, password: string): Promise<void> {
    await requireOrdinary(userId);
    await care.setPassword(userId, password, {
      keepsDevices: false,
      also: (set: WriteSet) => refuseAdministrator(set, userId),
    });
  }

  async function setAdmin(administrator: string, userId: string, isAdmin: boolean): Promise<void> {
    checkDemotion(administrator, userId, isAdmin);
    if (isAdmin) await care.setAdmin(userId, true);
    else await care.demote(userId);
  }

  async function make(userId: string, changes: AccountChanges): Promise<void> {
    if (changes.isDeactivated === true) throw refusedParam('An account that has ended cannot be made.');
    if (changes.isAdmin === true && changes.isLocked === true) throw new MatrixError('user.not-moderated');
    const emails = parseEmails(changes.emails ?? []);
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
    });
    if (avatar !== undefined) await profiles.setField(userId, 'avatar_url', avatar);
    if (changes.isLocked === true) await moderation.set(userId, 'locked', true);
  }

  function planProfile(userId: string, before: JsonObject, changes: AccountChanges): Step[] {
    const fields = [
      ['displayname', changes.displayName],
      ['avatar_url', changes.avatarUrl],
    ] as const;
    return fields.flatMap(([key, given]) => {
      if (given === undefined || given === (before[key] ?? '')) return [];
      const value = parseProfileValue(key, given);
      return [() => (value === undefined ? profiles.removeField(userId, key) : profiles.setField(userId, key, value))];
    });
  }

  /** What is to be done, the way back from which is the longer the later it is. Whatever is wrong with it is said before any of it is done. */
  function plan(
    administrator: string,
    userId: string,
    { before, profile }: { readonly before: AccountState; readonly profile: JsonObject },
    changes: AccountChanges,
  ): Step[] {
    const { password, isAdmin, isLocked, userType } = changes;
    if (userType !== undefined && userType !== (before.userType ?? null)) {
      throw refusedParam('user_type is said when an account is made.');
    }
    const emails = changes.emails && parseEmails(changes.emails);
    const had = before.emails.map(({ address }) => address);
    if (emails?.some((address) => !had.includes(address))) {
      throw refusedParam('An address is added by whose it is, or with bin/portico user email add.');
    }
    const removed = emails === undefined ? [] : had.filter((address) => !emails.includes(address));
    const locks = isLocked !== undefined && isLocked !== before.isLocked;
    const ends = changes.isDeactivated === true;
    const isTouched = password !== undefined || removed.length > 0 || locks || ends;
    if (before.isAdmin && isTouched) throw new MatrixError('user.not-moderated');
    const appoints = isAdmin !== undefined && isAdmin !== before.isAdmin;
    if (appoints) checkDemotion(administrator, userId, isAdmin);
    if (appoints && isAdmin && (isLocked === true || ends)) throw new MatrixError('user.not-moderated');
    return [
      ...(password === undefined ? [] : [() => setPassword(userId, password)]),
      ...planProfile(userId, profile, changes),
      ...removed.map((address) => () => care.removeEmail(userId, address)),
      ...(locks ? [() => moderation.set(userId, 'locked', isLocked)] : []),
      ...(appoints ? [() => setAdmin(administrator, userId, isAdmin)] : []),
      ...(ends ? [() => moderation.end(userId, { erase: false })] : []),
    ];
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
      for (const step of plan(administrator, userId, { before, profile }, changes)) await step();
      return false;
    },
    setAdmin,
    setPassword,
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
  };
}

/** Mostly a mistake, and one that they cannot undo. */
function checkDemotion(administrator: string, userId: string, isAdmin: boolean): void {
  if (userId === administrator && !isAdmin) throw refusedParam('Another administrator has to do this.');
}

function parseEmails(given: readonly string[]): readonly string[] {
  if (given.length > maxAddresses) throw new MatrixError('third-party.too-many');
  return given.map((text) => {
    const address = parseEmailAddress(text);
    if (address === undefined) throw refusedParam(`${text} is no email address.`);
    return address;
  });
}

function refusedParam(message: string): MatrixError {
  return new MatrixError('request.invalid-param', { message });
}
