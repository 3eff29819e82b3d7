import { Type } from 'typebox';
import type { Moderation } from '../../../services/accounts/moderation.ts';
import { endpoint } from '../../endpoint.ts';

const path = '/_matrix/client/v1/admin/suspend/:userId';
const unstablePaths = ['/_matrix/client/unstable/uk.timedout.msc4323/admin/suspend/:userId'];
const params = Type.Object({ userId: Type.String() });
const suspended = Type.Object({ suspended: Type.Boolean() }, { title: 'AccountSuspension' });

export const getAccountSuspension = endpoint(
  {
    method: 'GET',
    path,
    unstablePaths,
    operationId: 'getAdminSuspendUser',
    summary: 'Gets information about the suspended status of a particular user.',
    auth: 'admin',
    params,
    response: suspended,
  },
  ({ moderation }: { moderation: Moderation }) =>
    async ({ params: { userId } }) => ({ suspended: await moderation.isInForce(userId, 'suspended') }),
);

export const setAccountSuspension = endpoint(
  {
    method: 'PUT',
    path,
    unstablePaths,
    operationId: 'setAdminSuspendUser',
    summary: 'Set the suspended status of a particular user.',
    auth: 'admin',
    params,
    body: suspended,
    response: suspended,
  },
  ({ moderation }: { moderation: Moderation }) =>
    async ({ params: { userId }, body }) => {
      await moderation.set(userId, 'suspended', body.suspended);
      return { suspended: body.suspended };
    },
);
