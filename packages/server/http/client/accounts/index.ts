import type { AccountServices } from '../../../services/accounts/account-services.ts';
import type { Sso } from '../../../services/sso/sso.ts';
import type { Endpoint } from '../../endpoint.ts';
import type { BaseUrl } from '../discovery/base-url.ts';
import { changePassword } from './change-password.ts';
import { checkUsernameAvailability } from './check-username-availability.ts';
import { deactivateAccount } from './deactivate-account.ts';
import { getLoginFlows } from './get-login-flows.ts';
import { getLoginToken } from './get-login-token.ts';
import { getTokenOwner } from './get-token-owner.ts';
import { login } from './login.ts';
import { logoutAll } from './logout-all.ts';
import { logout } from './logout.ts';
import { refresh } from './refresh.ts';
import { openLoginFallback } from './fallback/login-fallback.ts';
import { openStageFallback, submitStageFallback } from './fallback/stage-fallback.ts';
import { register } from './register.ts';
import { thirdPartyIdEndpoints } from './third-party-ids/index.ts';
import { registrationTokenValidity } from './registration-token-validity.ts';

export const accountEndpoints: readonly Endpoint<AccountServices & { discovery: BaseUrl; sso: Sso | undefined }>[] = [
  register,
  openLoginFallback,
  openStageFallback,
  submitStageFallback,
  checkUsernameAvailability,
  registrationTokenValidity,
  getLoginFlows,
  login,
  getLoginToken,
  refresh,
  logout,
  logoutAll,
  getTokenOwner,
  ...thirdPartyIdEndpoints,
  changePassword,
  deactivateAccount,
];
