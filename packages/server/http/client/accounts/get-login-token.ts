import { Type } from 'typebox';
import type { LoginTokens } from '../../../services/accounts/login-tokens.ts';
import { endpoint } from '../../endpoint.ts';
import { authData } from './schemas.ts';

export const getLoginToken = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v1/login/get_token',
    unstablePaths: ['/_matrix/client/unstable/org.matrix.msc3882/login/get_token'],
    operationId: 'generateLoginToken',
    summary: 'Generates a token that logs the user in on another device, once and soon.',
    auth: 'user',
    rateLimit: 'login-token',
    body: Type.Object({ auth: Type.Optional(authData) }, { title: 'LoginTokenRequest' }),
    response: Type.Object({ login_token: Type.String(), expires_in_ms: Type.Integer() }, { title: 'LoginToken' }),
  },
  ({ loginTokens }: { loginTokens: LoginTokens }) =>
    ({ sender, body }) =>
      loginTokens.issue(sender, body.auth),
);
