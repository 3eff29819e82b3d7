import { Type } from 'typebox';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { emptyObject } from '../../schemas.ts';
import { oauthPath } from './paths.ts';
import { readParameters } from './read-parameters.ts';
import type { OAuthServices } from './services.ts';

/** "The authorization server MUST include the HTTP `Cache-Control` response header field with a value of `no-store`". */
const unkept = { headers: { 'Cache-Control': 'no-store', Pragma: 'no-cache' } };

export const giveOAuthTokens = endpoint(
  {
    method: 'POST',
    path: `${oauthPath}/token`,
    operationId: 'giveOAuthTokens',
    summary: 'Exchanges what a client was given, a form of parameters, for tokens.',
    auth: 'none',
    rateLimit: 'oauth-token',
    body: rawBody,
    response: Type.Object(
      {
        access_token: Type.String(),
        token_type: Type.Literal('Bearer'),
        expires_in: Type.Integer(),
        refresh_token: Type.String(),
        scope: Type.String(),
      },
      { title: 'OAuthTokens' },
    ),
  },
  ({ oauth }: OAuthServices) =>
    async ({ body }) => {
      return reply(await oauth.giveTokens(await readParameters(body)), unkept);
    },
);

export const revokeOAuthToken = endpoint(
  {
    method: 'POST',
    path: `${oauthPath}/revoke`,
    operationId: 'revokeOAuthToken',
    summary: 'Logs out the device of a token, which a form of parameters has.',
    auth: 'none',
    rateLimit: 'oauth-token',
    body: rawBody,
    response: emptyObject,
  },
  ({ oauth }: OAuthServices) =>
    async ({ body }) => {
      await oauth.revoke(await readParameters(body));
      return {};
    },
);
