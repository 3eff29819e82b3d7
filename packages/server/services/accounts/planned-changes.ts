import type { JsonObject, JsonValue } from '@portico/protocol';
import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import type { ExternalId } from '@portico/storage/stores/accounts/external-ids.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { parseProfileValue } from '../profile/profile-value.ts';
import { maxAddresses } from '../third-party-ids/third-party-ids.ts';
import type { AccountState } from './account-care.ts';

/** What is `undefined` stays as it is. */
export type AccountChanges = {
  readonly password: string | undefined;
  /** Empty for none. */
  readonly displayName: string | undefined;
  readonly avatarUrl: string | undefined;
  /** All of them. To an account that is there nobody but its owner adds any. */
  readonly emails: readonly string[] | undefined;
  /** All of them, by way of which they log in. */
  readonly externalIds: readonly ExternalId[] | undefined;
  readonly isAdmin: boolean | undefined;
  readonly isLocked: boolean | undefined;
  readonly isDeactivated: boolean | undefined;
  /** Said when the account is made. */
  readonly userType: string | null | undefined;
};

/** What is different from what an account is already; what is `undefined` is not. */
export type PlannedChanges = {
  readonly password: string | undefined;
  readonly profile: readonly ProfileChange[];
  readonly removedEmails: readonly string[];
  readonly addedExternalIds: readonly ExternalId[];
  readonly removedExternalIds: readonly ExternalId[];
  readonly isLocked: boolean | undefined;
  readonly isAdmin: boolean | undefined;
  readonly ends: boolean;
};

/** Without a value where the field is to go. */
type ProfileChange = { readonly key: 'displayname' | 'avatar_url'; readonly value: JsonValue | undefined };

/** What is done to nobody who is an administrator. */
export function isOfOrdinary(planned: PlannedChanges): boolean {
  const { password, removedEmails, addedExternalIds, removedExternalIds, isLocked, ends } = planned;
  const changed = removedEmails.length + addedExternalIds.length + removedExternalIds.length;
  return password !== undefined || changed > 0 || isLocked !== undefined || ends;
}

/** Throws whatever is wrong with what an administrator wants of an account, before any of it is done. */
export function planChanges(
  who: { readonly administrator: string; readonly userId: string },
  { before, profile }: { readonly before: AccountState; readonly profile: JsonObject },
  changes: AccountChanges,
): PlannedChanges {
  const { userType } = changes;
  if (userType !== undefined && userType !== (before.userType ?? null)) {
    throw refusedParam('user_type is said when an account is made.');
  }
  const planned: PlannedChanges = {
    password: changes.password,
    profile: [
      ...changedField('displayname', profile, changes.displayName),
      ...changedField('avatar_url', profile, changes.avatarUrl),
    ],
    removedEmails: missingEmails(
      before.emails.map(({ address }) => address),
      changes.emails,
    ),
    addedExternalIds: difference(changes.externalIds ?? [], before.externalIds),
    removedExternalIds: changes.externalIds === undefined ? [] : difference(before.externalIds, changes.externalIds),
    isLocked: changes.isLocked === before.isLocked ? undefined : changes.isLocked,
    isAdmin: changes.isAdmin === before.isAdmin ? undefined : changes.isAdmin,
    ends: changes.isDeactivated === true,
  };
  if (before.isAdmin && isOfOrdinary(planned)) throw new MatrixError('user.not-moderated');
  if (planned.isAdmin !== undefined) checkDemotion(who, planned.isAdmin);
  if (planned.isAdmin === true && (changes.isLocked === true || planned.ends)) {
    throw new MatrixError('user.not-moderated');
  }
  return planned;
}

function changedField(key: ProfileChange['key'], before: JsonObject, given: string | undefined): ProfileChange[] {
  if (given === undefined || given === (before[key] ?? '')) return [];
  return [{ key, value: parseProfileValue(key, given) }];
}

function difference(of: readonly ExternalId[], without: readonly ExternalId[]): readonly ExternalId[] {
  return of.filter(
    (id) => !without.some(({ provider, subject }) => provider === id.provider && subject === id.subject),
  );
}

function missingEmails(had: readonly string[], given: readonly string[] | undefined): readonly string[] {
  if (given === undefined) return [];
  const emails = parseEmails(given);
  if (emails.some((address) => !had.includes(address))) {
    throw refusedParam('An address is added by whose it is, or with bin/portico user email add.');
  }
  return had.filter((address) => !emails.includes(address));
}

/** Nobody takes the right from themselves: it is mostly a mistake, and one that they cannot undo. */
export function checkDemotion(
  { administrator, userId }: { readonly administrator: string; readonly userId: string },
  isAdmin: boolean,
): void {
  if (userId === administrator && !isAdmin) throw refusedParam('Another administrator has to do this.');
}

export function parseEmails(given: readonly string[]): readonly string[] {
  if (given.length > maxAddresses) throw new MatrixError('third-party.too-many');
  return given.map((text) => {
    const address = parseEmailAddress(text);
    if (address === undefined) throw refusedParam(`${text} is no email address.`);
    return address;
  });
}

export function refusedParam(message: string): MatrixError {
  return new MatrixError('request.invalid-param', { message });
}
