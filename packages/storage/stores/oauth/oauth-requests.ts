import { loginSteps } from '../accounts/login-steps.ts';

/** What people are asked before a client gets in. */
export const oauthRequests = loginSteps({
  table: 'oauth_requests',
  key: 'request_hash',
  name: 'oauth-requests',
  guard: 'oauth.over',
});
