import { accountDataErrors } from './reasons/account-data.ts';
import { accountErrors } from './reasons/accounts.ts';
import { appServiceErrors } from './reasons/app-services.ts';
import { deviceErrors } from './reasons/devices.ts';
import { mediaErrors } from './reasons/media.ts';
import { oauthErrors } from './reasons/oauth.ts';
import { privacyErrors } from './reasons/privacy.ts';
import { requestErrors } from './reasons/requests.ts';
import { roomErrors } from './reasons/rooms.ts';
import { serverErrors } from './reasons/servers.ts';
import { singleSignOnErrors } from './reasons/single-sign-on.ts';
import { thirdPartyIdErrors } from './reasons/third-party-ids.ts';

/**
 * Every way in which a request can be refused, by reason. A reason may also be the name of a write set's guard: when
 * that guard fails, the request is refused with the reason's entry.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#standard-error-response}
 */
export const errorTable = {
  ...requestErrors,
  ...serverErrors,
  ...accountErrors,
  ...thirdPartyIdErrors,
  ...singleSignOnErrors,
  ...oauthErrors,
  ...appServiceErrors,
  ...deviceErrors,
  ...accountDataErrors,
  ...mediaErrors,
  ...roomErrors,
  ...privacyErrors,
} as const;

export type ErrorReason = keyof typeof errorTable;

export function isErrorReason(name: string): name is ErrorReason {
  return Object.hasOwn(errorTable, name);
}
