import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { ListAccounts } from '../../../services/accounts/account-list.ts';
import type { Moderation } from '../../../services/accounts/moderation.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';
import type { UserRedactions } from '../../../services/rooms/redacting/user-redactions.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getAdministrator, setAdministrator } from './administrator.ts';
import { deactivateUser } from './deactivate-user.ts';
import { getUser } from './get-user.ts';
import { listDevicesOfUser, listRoomsOfUser } from './devices-and-rooms.ts';
import { listUsersV2, listUsersV3 } from './list-users.ts';
import { getUserRedaction, redactUser } from './redact-user.ts';
import { suspendUser } from './suspend-user.ts';

export type UserAdminServices = {
  readonly listAccounts: ListAccounts;
  readonly userRedactions: UserRedactions;
  readonly care: AccountCare;
  readonly moderation: Moderation;
  readonly localProfiles: Profiles;
};

/** What administrators do about people. */
export const userAdminEndpoints: readonly Endpoint<UserAdminServices>[] = [
  getUser,
  listUsersV2,
  listUsersV3,
  listDevicesOfUser,
  listRoomsOfUser,
  getAdministrator,
  setAdministrator,
  suspendUser,
  deactivateUser,
  redactUser,
  getUserRedaction,
];
