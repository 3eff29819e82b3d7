import type { LoginWays } from '../../../services/accounts/login-ways.ts';
import type { Endpoint } from '../../endpoint.ts';
import { linkProvider, listLinkedProviders, unlinkProvider } from './links.ts';
import { redirectToIdp, redirectToSso } from './redirect-to-sso.ts';
import type { SsoServices } from './services.ts';
import { takeSsoLogout } from './take-logout.ts';
import { answerSsoQuestion, confirmBySso, showSsoQuestion, takeSsoCallback } from './way-back.ts';

/** Logging in by way of other services. */
export const ssoEndpoints: readonly Endpoint<SsoServices & { readonly loginWays: LoginWays }>[] = [
  redirectToSso,
  redirectToIdp,
  takeSsoCallback,
  showSsoQuestion,
  answerSsoQuestion,
  confirmBySso,
  takeSsoLogout,
  listLinkedProviders,
  linkProvider,
  unlinkProvider,
];
