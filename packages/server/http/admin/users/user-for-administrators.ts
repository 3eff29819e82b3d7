import { type Static, Type } from 'typebox';
import type { JsonValue } from '@portico/protocol';
import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';
import { userFacts } from './user-facts.ts';

export type DescribingServices = { readonly care: AccountCare; readonly localProfiles: Profiles };

/** A service by way of which somebody logs in, and what they are called there. */
export const externalId = Type.Object({
  auth_provider: Type.String(),
  external_id: Type.String({ minLength: 1, maxLength: 255 }),
});

export const userForAdministrators = Type.Object(
  {
    ...userFacts,
    last_seen_ts: Type.Integer(),
    threepids: Type.Array(
      Type.Object({
        medium: Type.String(),
        address: Type.String(),
        added_at: Type.Integer(),
        validated_at: Type.Integer(),
      }),
    ),
    external_ids: Type.Array(externalId),
  },
  { title: 'UserForAdministrators' },
);

/** Throws `user.not-found`. */
export async function describeUser(
  { care, localProfiles }: DescribingServices,
  userId: string,
): Promise<Static<typeof userForAdministrators>> {
  const account = await care.describe(userId);
  const profile = await localProfiles.memberProfile(userId);
  return {
    name: userId,
    admin: account.isAdmin,
    deactivated: account.deactivatedAt !== undefined,
    erased: account.isErased,
    locked: account.isLocked,
    suspended: account.isSuspended,
    user_type: account.userType ?? null,
    displayname: textOf(profile['displayname']),
    avatar_url: textOf(profile['avatar_url']),
    creation_ts: account.createdAt,
    last_seen_ts: account.lastSeenAt,
    threepids: account.emails.map(({ address, addedAt, validatedAt }) => ({
      medium: 'email',
      address,
      added_at: addedAt,
      validated_at: validatedAt,
    })),
    external_ids: account.externalIds.map(({ provider, subject }) => ({
      auth_provider: provider,
      external_id: subject,
    })),
    is_guest: false,
    shadow_banned: false,
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
