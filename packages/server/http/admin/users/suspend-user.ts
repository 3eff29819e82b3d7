import { Type } from 'typebox';
import type { Moderation } from '../../../services/accounts/moderation.ts';
import { endpoint } from '../../endpoint.ts';

/** The specification has a call for this as well; tools that are older than it make this one. */
export const suspendUser = endpoint(
  {
    method: 'PUT',
    path: '/_synapse/admin/v1/suspend/:userId',
    operationId: 'suspendUser',
    summary: 'Suspends an account, or no longer.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    body: Type.Object({ suspend: Type.Boolean() }, { title: 'UserSuspension' }),
    response: Type.Record(Type.String(), Type.Boolean(), { title: 'UserSuspended' }),
  },
  ({ moderation }: { moderation: Moderation }) =>
    async ({ params: { userId }, body: { suspend } }) => {
      await moderation.set(userId, 'suspended', suspend);
      return { [`user_${userId}_suspended`]: suspend };
    },
);
