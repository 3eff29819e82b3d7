import { Type } from 'typebox';
import type { ThirdPartyIds } from '../../../../services/third-party-ids/third-party-ids.ts';
import { endpoint } from '../../../endpoint.ts';
import { emptyObject } from '../../../schemas.ts';
import { authData } from '../schemas.ts';

export const addThirdPartyId = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/account/3pid/add',
    unstablePaths: ['/_matrix/client/unstable/account/3pid/add'],
    operationId: 'add3PID',
    summary: "Adds contact information to the user's account.",
    auth: 'user',
    rateLimit: 'own-password',
    body: Type.Object(
      { client_secret: Type.String(), sid: Type.String(), auth: Type.Optional(authData) },
      { title: 'ThirdPartyIdAddition' },
    ),
    response: emptyObject,
  },
  ({ thirdPartyIds }: { thirdPartyIds: ThirdPartyIds }) =>
    async ({ sender, body }) => {
      await thirdPartyIds.add(sender, body);
      return {};
    },
);
