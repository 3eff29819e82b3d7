import { Type } from 'typebox';
import type { Moderation } from '../../../services/accounts/moderation.ts';
import { unbound } from '../../client/accounts/third-party-ids/schemas.ts';
import { endpoint } from '../../endpoint.ts';

export const deactivateUser = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/deactivate/:userId',
    operationId: 'deactivateUser',
    summary: 'Deactivates an account.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    body: Type.Object({ erase: Type.Optional(Type.Boolean()) }, { title: 'UserDeactivation' }),
    response: unbound,
  },
  ({ moderation }: { moderation: Moderation }) =>
    async ({ params: { userId }, body: { erase = false } }) => ({
      id_server_unbind_result: await moderation.end(userId, { erase }),
    }),
);
