import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';
import { networkKey } from '../../../services/rate-limit/rate-limiter.ts';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { oauthPath } from './paths.ts';
import { readMetadata } from './read-metadata.ts';
import type { OAuthServices } from './services.ts';

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
    // What is wrong with it is told with a code of RFC 7591.
    body: rawBody,
    response: registered,
  },
  ({ oauth }: OAuthServices) =>
    async ({ body, ip }) => {
      const client = await oauth.clients.register(await readMetadata(body), networkKey(ip));
      return reply(
        { client_id: client.id, ...client.metadata },
        { status: 201, headers: { 'Cache-Control': 'no-store' } },
      );
    },
);
