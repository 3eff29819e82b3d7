import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { oauthPath } from './paths.ts';
import type { OAuthServices } from './services.ts';

/** Any values: what is wrong with one is told with a code of RFC 7591. */
const metadata = Type.Unsafe<JsonObject>(Type.Object({}, { title: 'OAuthClientMetadata' }));
const registered = Type.Unsafe<JsonObject>(
  Type.Object({ client_id: Type.String() }, { title: 'RegisteredOAuthClient' }),
);

/** {@link https://spec.matrix.org/v1.19/client-server-api/#dynamic-client-registration-flow} */
export const registerOAuthClient = endpoint(
  {
    method: 'POST',
    path: `${oauthPath}/clients`,
    operationId: 'registerOAuthClient',
    summary: 'Registers a client that logs people in. The same again is the same client.',
    auth: 'none',
    rateLimit: 'oauth-client',
    bodyLimit: 32 * 1024,
    body: metadata,
    response: registered,
  },
  ({ oauth }: OAuthServices) =>
    async ({ body }) => {
      const client = await oauth.clients.register(body);
      return reply(
        { client_id: client.id, ...client.metadata },
        { status: 201, headers: { 'Cache-Control': 'no-store' } },
      );
    },
);
