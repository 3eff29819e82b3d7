import { Type } from 'typebox';
import type { JsonValue } from '@portico/protocol';
import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';
import { endpoint } from '../../endpoint.ts';

const optionalText = Type.Union([Type.String(), Type.Null()]);

export const getUser = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/users/:userId',
    operationId: 'getUserAsAdmin',
    summary: 'Tells what is known of an account.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    response: Type.Object(
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
        threepids: Type.Array(Type.Object({ medium: Type.String(), address: Type.String() })),
        // There are neither guests nor people who speak without being heard: programs ask all the same.
        is_guest: Type.Literal(false),
        shadow_banned: Type.Literal(false),
      },
      { title: 'UserForAdministrators' },
    ),
  },
  ({ care, localProfiles }: { care: AccountCare; localProfiles: Profiles }) =>
    async ({ params: { userId } }) => {
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
        threepids: account.emails.map((address) => ({ medium: 'email', address })),
        is_guest: false,
        shadow_banned: false,
      } as const;
    },
);

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
