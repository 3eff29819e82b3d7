import type { SharedSecretRegistration } from '../../services/accounts/shared-secret.ts';
import type { Reported } from '../../services/reporting/reported.ts';
import type { Erasures } from '../../services/privacy/erasures.ts';
import type { ServerNotices } from '../../services/server-notices/server-notices.ts';
import type { RegistrationTokens } from '../../services/accounts/registration-tokens.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Program } from '../program.ts';
import { getErasure } from './get-erasure.ts';
import { getRegistrationNonce } from './get-registration-nonce.ts';
import { getServerVersion } from './get-server-version.ts';
import { mediaAdminEndpoints, type MediaAdminServices } from './media/index.ts';
import { registrationTokenEndpoints } from './registration-tokens.ts';
import { reportEndpoints } from './reports/index.ts';
import { sendServerNotice, sendServerNoticeOnce } from './send-server-notice.ts';
import { registerBySharedSecret } from './register-by-shared-secret.ts';
import { roomAdminEndpoints, type RoomAdminServices } from './rooms/index.ts';
import { userAdminEndpoints, type UserAdminServices } from './users/index.ts';

export type AdminServices = UserAdminServices &
  RoomAdminServices &
  MediaAdminServices & {
    readonly program: Program;
    readonly registrationTokens: RegistrationTokens;
    readonly sharedSecret: SharedSecretRegistration;
    readonly erasures: Erasures;
    readonly reported: Reported;
    readonly serverNotices: ServerNotices;
  };

/** What administrators' tools use. */
export const adminEndpoints: readonly Endpoint<AdminServices>[] = [
  getServerVersion,
  getRegistrationNonce,
  registerBySharedSecret,
  getErasure,
  sendServerNotice,
  sendServerNoticeOnce,
  ...registrationTokenEndpoints,
  ...reportEndpoints,
  ...userAdminEndpoints,
  ...roomAdminEndpoints,
  ...mediaAdminEndpoints,
];
