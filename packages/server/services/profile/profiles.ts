import { isUserId, serverNameOf, type JsonObject, type JsonValue } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import {
  findProfileField,
  listMemberProfileFields,
  listProfileFields,
  type ProfileFieldRow,
  removeProfileField,
  setProfileField,
} from '@portico/storage/stores/accounts/profile-fields.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { checkProfileKey } from './profile-key.ts';
import { parseProfileValue } from './profile-value.ts';

export interface Profiles {
  /** What a local user's member events say about them: `displayname` and `avatar_url`, where set. */
  memberProfile(userId: string): Promise<JsonObject>;
  /** The whole profile, as JSON text. Throws `profile.not-found`. */
  get(userId: string): Promise<string>;
  /** An object of one field, as JSON text. Throws `profile.not-found`. */
  getField(userId: string, key: string): Promise<string>;
  setField(userId: string, key: string, value: JsonValue): Promise<void>;
  removeField(userId: string, key: string): Promise<void>;
  /**
   * Adds to a write set what changes a field that was checked, or removes it, and tells the person's rooms. Fails on the guards
   * `user.deactivated` and `profile.too-large`.
   */
  planField(set: WriteSet, userId: string, key: string, value: JsonValue | undefined): void;
}

/** The job that tells a person's rooms of their new display name or avatar. */
export const profileJob = 'profile';

/**
 * > the total profile MUST be under 64 KiB
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname}
 */
export const maxProfileBytes = 64 * 1024 - 1;

type Dependencies = { readonly db: Database; readonly serverName: string; readonly now: () => number };

export function createProfiles({ db, serverName, now }: Dependencies): Profiles {
  /** Throws unless somebody has an account here. */
  async function requireUser(userId: string): Promise<void> {
    if (!isUserId(userId)) throw new MatrixError('request.invalid-param', { message: 'This is not a user ID.' });
    const account = serverNameOf(userId) === serverName ? await findAccount(db, userId) : undefined;
    if (account === undefined || account.deactivated_at !== null) throw new MatrixError('profile.not-found');
  }

  function planField(set: WriteSet, userId: string, key: string, value: JsonValue | undefined): void {
    refuseDeactivated(set, userId);
    if (value === undefined) removeProfileField(set, userId, key);
    else setProfileField(set, userId, { name: key, value: JSON.stringify(value) }, maxProfileBytes);
    if (isMemberField(key)) startAccountJob(set, userId, profileJob, now());
  }

  async function change(userId: string, key: string, value: JsonValue | undefined): Promise<void> {
    const set = createWriteSet();
    planField(set, userId, key, value);
    await db.commit(set);
  }

  return {
    async memberProfile(userId) {
      const fields = await listMemberProfileFields(db, userId);
      return Object.fromEntries(fields.map(({ name, value }) => [name, JSON.parse(value) as JsonValue]));
    },
    async get(userId) {
      const [, fields] = await Promise.all([requireUser(userId), listProfileFields(db, userId)]);
      return toText(fields);
    },
    async getField(userId, key) {
      checkProfileKey(key);
      const [, value] = await Promise.all([requireUser(userId), findProfileField(db, userId, key)]);
      if (value === undefined) throw new MatrixError('profile.not-found');
      return toText([{ name: key, value }]);
    },
    async setField(userId, key, value) {
      checkProfileKey(key);
      await change(userId, key, parseProfileValue(key, value));
    },
    async removeField(userId, key) {
      checkProfileKey(key);
      await change(userId, key, undefined);
    },
    planField,
  };
}

/** Whether member events carry the field. */
function isMemberField(key: string): boolean {
  return key === 'displayname' || key === 'avatar_url';
}

function toText(fields: readonly ProfileFieldRow[]): string {
  return `{${fields.map(({ name, value }) => `${JSON.stringify(name)}:${value}`).join()}}`;
}
