import { Type } from 'typebox';
import type { Deactivation } from '../../../services/accounts/deactivation.ts';
import { endpoint } from '../../endpoint.ts';
import { authData } from './schemas.ts';
import { unbound } from './third-party-ids/schemas.ts';

export const deactivateAccount = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/account/deactivate',
    operationId: 'deactivateAccount',
    summary: "Deactivate a user's account.",
    auth: 'user',
    rateLimit: 'own-password',
    body: Type.Object(
      {
        auth: Type.Optional(authData),
        id_server: Type.Optional(Type.String()),
        erase: Type.Optional(Type.Boolean()),
      },
      { title: 'AccountDeactivation' },
    ),
    response: unbound,
  },
  ({ deactivation }: { deactivation: Deactivation }) =>
    async ({ sender, body }) => ({
      id_server_unbind_result: await deactivation.deactivateOwn(sender, body),
    }),
);
