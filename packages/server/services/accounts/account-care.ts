import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { setPasswordHash } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { demoteAdmin, findModerated, setAdmin } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { type ExternalIdRow, listExternalIds } from '@portico/storage/stores/accounts/external-ids.ts';
import {
  addThirdPartyId,
  findThirdPartyOwner,
  listThirdPartyIds,
} from '@portico/storage/stores/accounts/third-party-ids.ts';
import { findErasureRequest } from '@portico/storage/stores/privacy/erasures.ts';
import { readRoomsOfUser } from '@portico/storage/stores/rooms/memberships-read.ts';
import { endLoginsUnderWay } from '@portico/storage/stores/accounts/logins-under-way.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { maxAddresses, type ThirdPartyIds } from '../third-party-ids/third-party-ids.ts';
import type { Deactivation } from './deactivation.ts';
import type { PasswordHasher } from './password-hasher.ts';

export type EmailOfAccount = {
  readonly address: string;
  readonly addedAt: number;
  /** When it was found to be theirs. */
  readonly validatedAt: number;
};

export type AccountState = {
  readonly isAdmin: boolean;
  readonly isLocked: boolean;
  readonly isSuspended: boolean;
  readonly hasPassword: boolean;
  readonly createdAt: number;
  readonly deactivatedAt: number | undefined;
  readonly isErased: boolean;
  /** What the account is for, as who made it said. */
  readonly userType: string | undefined;
  /** When any of their devices was last used, or the account was made. */
  readonly lastSeenAt: number;
  readonly emails: readonly EmailOfAccount[];
  /** By way of which services they log in. */
  readonly externalIds: readonly ExternalIdRow[];
  readonly devices: number;
};

/**
 * What whoever runs the server does for somebody who cannot do it themselves: nobody is asked for a password. Throws `user.not-found`
 * where there is no such account, and `user.deactivated` where it has ended.
 */
export interface AccountCare {
  describe(userId: string): Promise<AccountState>;
  /** A new password, with which nobody is logged in any more, unless devices are kept. */
  setPassword(
    userId: string,
    password: string,
    options: { readonly keepsDevices: boolean; readonly also?: (set: WriteSet) => void },
  ): Promise<void>;
  /** Adds an address on the operator's word that it is theirs. */
  addEmail(userId: string, address: string): Promise<string>;
  /** Throws `third-party.not-found`. */
  removeEmail(userId: string, address: string): Promise<void>;
  listDevices(userId: string): Promise<readonly Device[]>;
  /** The rooms that they are in. */
  listRooms(userId: string): Promise<readonly string[]>;
  /** Logs out one device or all of them, and answers how many there were. Throws `device.not-found` for one they do not have. */
  logOut(userId: string, deviceId: string | undefined): Promise<number>;
  setAdmin(userId: string, isAdmin: boolean): Promise<void>;
  /** Throws `admin.last` where nobody else would be an administrator. */
  demote(userId: string): Promise<void>;
  deactivate(userId: string, options: { readonly erase: boolean }): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly hasher: PasswordHasher;
  readonly devices: Devices;
  readonly thirdPartyIds: ThirdPartyIds;
  readonly deactivation: Deactivation;
  readonly now: () => number;
};

export function createAccountCare(dependencies: Dependencies): AccountCare {
  const { db, hasher, devices, thirdPartyIds, deactivation, now } = dependencies;

  async function requireActive(userId: string): Promise<void> {
    const account = await findAccount(db, userId);
    if (account === undefined) throw new MatrixError('user.not-found');
    if (account.deactivated_at !== null) throw new MatrixError('user.deactivated');
  }

  return {
    async describe(userId) {
      const [account, standing, emails, externalIds, list, erasure] = await Promise.all([
        findAccount(db, userId),
        findModerated(db, userId),
        listThirdPartyIds(db, userId),
        listExternalIds(db, userId),
        devices.list(userId),
        findErasureRequest(db, userId),
      ]);
      if (account === undefined) throw new MatrixError('user.not-found');
      return {
        isAdmin: account.is_admin === 1,
        isLocked: standing?.locked === 1,
        isSuspended: standing?.suspended === 1,
        hasPassword: account.password_hash !== null,
        createdAt: account.created_at,
        deactivatedAt: account.deactivated_at ?? undefined,
        isErased: erasure !== undefined,
        userType: account.user_type ?? undefined,
        lastSeenAt: Math.max(account.created_at, ...list.map((device) => device.last_seen_ts ?? 0)),
        emails: emails.map((row) => ({
          address: row.address,
          addedAt: row.added_at,
          validatedAt: row.validated_at,
        })),
        externalIds,
        devices: list.length,
      };
    },
    async setPassword(userId, password, { keepsDevices, also }) {
      await requireActive(userId);
      const hash = await hasher.hash(password);
      const write = (set: WriteSet): void => {
        setPasswordHash(set, userId, hash);
        endLoginsUnderWay(set, userId);
        also?.(set);
      };
      if (!keepsDevices) return devices.removeAllBut(userId, [], write);
      const set = createWriteSet();
      write(set);
      await db.commit(set);
    },
    async addEmail(userId, given) {
      await requireActive(userId);
      const address = parseEmailAddress(given);
      if (address === undefined) {
        throw new MatrixError('request.invalid-param', { message: `${given} is no email address.` });
      }
      if ((await findThirdPartyOwner(db, 'email', address)) === userId) return address;
      if ((await listThirdPartyIds(db, userId)).length >= maxAddresses) throw new MatrixError('third-party.too-many');
      const set = createWriteSet();
      addThirdPartyId(set, { userId, medium: 'email', address, validatedAt: now(), addedAt: now() });
      await db.commit(set);
      return address;
    },
    async removeEmail(userId, given) {
      await requireActive(userId);
      const address = parseEmailAddress(given) ?? given;
      if ((await findThirdPartyOwner(db, 'email', address)) !== userId) throw new MatrixError('third-party.not-found');
      await thirdPartyIds.remove(userId, { medium: 'email', address }, undefined);
    },
    async listDevices(userId) {
      await requireActive(userId);
      return devices.list(userId);
    },
    async listRooms(userId) {
      if ((await findAccount(db, userId)) === undefined) throw new MatrixError('user.not-found');
      const rooms = await readRoomsOfUser(db.long, userId);
      return rooms.filter((room) => room.membership === 'join').map((room) => room.room_id);
    },
    async logOut(userId, deviceId) {
      await requireActive(userId);
      const all = await devices.list(userId);
      if (deviceId === undefined) {
        await devices.removeAllBut(userId, [], (set) => endLoginsUnderWay(set, userId));
        return all.length;
      }
      if (!all.some((device) => device.device_id === deviceId)) {
        throw new MatrixError('device.not-found', { message: `${userId} has no device ${deviceId}.` });
      }
      await devices.remove(userId, [deviceId]);
      return 1;
    },
    async setAdmin(userId, isAdmin) {
      await requireActive(userId);
      const set = createWriteSet();
      setAdmin(set, userId, isAdmin);
      await db.commit(set);
    },
    async demote(userId) {
      await requireActive(userId);
      const set = createWriteSet();
      demoteAdmin(set, userId);
      await db.commit(set);
    },
    async deactivate(userId, options) {
      if ((await findAccount(db, userId)) === undefined) throw new MatrixError('user.not-found');
      await deactivation.deactivate(userId, options);
    },
  };
}
