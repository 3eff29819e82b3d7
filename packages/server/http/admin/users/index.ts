import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { ListAccounts } from '../../../services/accounts/account-list.ts';
import type { Administering } from '../../../services/accounts/administering.ts';
import type { Moderation } from '../../../services/accounts/moderation.ts';
import type { WhoIs } from '../../../services/devices/who-is.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';
import type { Registration } from '../../../services/accounts/registration.ts';
import type { UserRedactions } from '../../../services/rooms/redacting/user-redactions.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getAdministrator, setAdministrator } from './administrator.ts';
import { deactivateUser } from './deactivate-user.ts';
import { checkFreeUsername, findUserByAddress, findUserByExternalId } from './find-user.ts';
import { getUser } from './get-user.ts';
import { getWhoIsAsAdmin, listDevicesOfUser, listRoomsOfUser } from './devices-and-rooms.ts';
import { listUsersV2, listUsersV3 } from './list-users.ts';
import { deleteDeviceOfUser, deleteDevicesOfUser } from './log-out-devices.ts';
import { putUser } from './put-user.ts';
import { getUserRedaction, redactUser } from './redact-user.ts';
import { resetPasswordOfUser } from './reset-password.ts';
import { suspendUser } from './suspend-user.ts';

export type UserAdminServices = {
  readonly listAccounts: ListAccounts;
  readonly userRedactions: UserRedactions;
  readonly administering: Administering;
  readonly registration: Registration;
  readonly care: AccountCare;
  readonly whoIs: WhoIs;
  readonly moderation: Moderation;
  readonly localProfiles: Profiles;
};

/** What administrators do about people. */
export const userAdminEndpoints: readonly Endpoint<UserAdminServices>[] = [
  getUser,
  putUser,
  findUserByAddress,
  findUserByExternalId,
  checkFreeUsername,
  listUsersV2,
  listUsersV3,
  listDevicesOfUser,
  getWhoIsAsAdmin,
  deleteDeviceOfUser,
  deleteDevicesOfUser,
  listRoomsOfUser,
  resetPasswordOfUser,
  getAdministrator,
  setAdministrator,
  suspendUser,
  deactivateUser,
  redactUser,
  getUserRedaction,
];
