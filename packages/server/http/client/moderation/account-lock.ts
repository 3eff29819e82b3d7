import { Type } from 'typebox';
import type { Moderation } from '../../../services/accounts/moderation.ts';
import { endpoint } from '../../endpoint.ts';

const path = '/_matrix/client/v1/admin/lock/:userId';
const unstablePaths = ['/_matrix/client/unstable/uk.timedout.msc4323/admin/lock/:userId'];
const params = Type.Object({ userId: Type.String() });
const locked = Type.Object({ locked: Type.Boolean() }, { title: 'AccountLock' });

export const getAccountLock = endpoint(
  {
    method: 'GET',
    path,
    unstablePaths,
    operationId: 'getAdminLockUser',
    summary: 'Gets information about the locked status of a particular user.',
    auth: 'admin',
    params,
    response: locked,
  },
  ({ moderation }: { moderation: Moderation }) =>
    async ({ params: { userId } }) => ({ locked: await moderation.isInForce(userId, 'locked') }),
);

export const setAccountLock = endpoint(
  {
    method: 'PUT',
    path,
    unstablePaths,
    operationId: 'setAdminLockUser',
    summary: 'Set the locked status of a particular user.',
    auth: 'admin',
    params,
    body: locked,
    response: locked,
  },
  ({ moderation }: { moderation: Moderation }) =>
    async ({ params: { userId }, body }) => {
      await moderation.set(userId, 'locked', body.locked);
      return { locked: body.locked };
    },
);
