import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { Moderation } from '../../../services/accounts/moderation.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getAdministrator, setAdministrator } from './administrator.ts';
import { deactivateUser } from './deactivate-user.ts';
import { getUser } from './get-user.ts';
import { suspendUser } from './suspend-user.ts';

export type UserAdminServices = {
  readonly care: AccountCare;
  readonly moderation: Moderation;
  readonly localProfiles: Profiles;
};

/** What administrators do about people. */
export const userAdminEndpoints: readonly Endpoint<UserAdminServices>[] = [
  getUser,
  getAdministrator,
  setAdministrator,
  suspendUser,
  deactivateUser,
];
