import { type Static, Type } from 'typebox';
import type { JsonValue } from '@portico/protocol';
import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';

export type DescribingServices = { readonly care: AccountCare; readonly localProfiles: Profiles };

const optionalText = Type.Union([Type.String(), Type.Null()]);

export const userForAdministrators = Type.Object(
  {
    name: Type.String(),
    admin: Type.Boolean(),
    deactivated: Type.Boolean(),
    erased: Type.Boolean(),
    locked: Type.Boolean(),
    suspended: Type.Boolean(),
    user_type: optionalText,
    displayname: optionalText,
    avatar_url: optionalText,
    creation_ts: Type.Integer(),
    last_seen_ts: Type.Integer(),
    threepids: Type.Array(
      Type.Object({
        medium: Type.String(),
        address: Type.String(),
        added_at: Type.Integer(),
        validated_at: Type.Integer(),
      }),
    ),
    // There are neither guests nor people who speak without being heard: programs ask all the same.
    is_guest: Type.Literal(false),
    shadow_banned: Type.Literal(false),
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
    is_guest: false,
    shadow_banned: false,
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
