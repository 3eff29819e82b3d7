import { Type } from 'typebox';
import type { Deactivation } from '../../../services/accounts/deactivation.ts';
import { endpoint } from '../../endpoint.ts';
import { authData } from './schemas.ts';

/** Nobody has an identifier bound at an identity server through this server. */
const answer = { id_server_unbind_result: 'success' };

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
    response: Type.Object({ id_server_unbind_result: Type.String() }, { title: 'AccountDeactivated' }),
  },
  ({ deactivation }: { deactivation: Deactivation }) =>
    async ({ sender, body }) => {
      await deactivation.deactivateOwn(sender, body);
      return answer;
    },
);
