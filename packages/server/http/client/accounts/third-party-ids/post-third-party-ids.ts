import { Type } from 'typebox';
import type { Bindings } from '../../../../services/third-party-ids/bindings.ts';
import type { ThirdPartyIds } from '../../../../services/third-party-ids/third-party-ids.ts';
import { endpoint } from '../../../endpoint.ts';
import { emptyObject } from '../../../schemas.ts';
import { authData } from '../schemas.ts';
import { bindRequest } from './schemas.ts';

/**
 * > This endpoint is deprecated in favour of the more specific `/3pid/add` and `/3pid/bind` endpoints.
 *
 * Clients use it for either. What was proved here is added, under the conditions of the former: without its password an
 * access token alone would do to take over an account, by way of an address. What was proved at an identity server is bound
 * there.
 */
export const postThirdPartyIds = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/account/3pid',
    operationId: 'post3PIDs',
    summary: "Adds contact information to the user's account.",
    auth: 'user',
    rateLimit: 'own-password',
    body: Type.Object(
      { three_pid_creds: bindRequest, auth: Type.Optional(authData) },
      { title: 'ThirdPartyIdCredentials' },
    ),
    response: emptyObject,
  },
  ({ thirdPartyIds, bindings }: { thirdPartyIds: ThirdPartyIds; bindings: Bindings }) =>
    async ({ sender, body: { three_pid_creds: credentials, auth } }) => {
      const { sid, client_secret: secret } = credentials;
      const proved = { sid, client_secret: secret };
      if (await thirdPartyIds.isValidated(proved)) {
        await thirdPartyIds.add(sender, { ...proved, ...(auth && { auth }) });
      } else await bindings.bind(sender.userId, credentials);
      return {};
    },
);
