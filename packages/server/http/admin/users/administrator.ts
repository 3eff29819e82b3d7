import { Type } from 'typebox';
import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { Administering } from '../../../services/accounts/administering.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

const path = '/_synapse/admin/v1/users/:userId/admin';
const params = Type.Object({ userId: Type.String() });
const isAdmin = Type.Object({ admin: Type.Boolean() }, { title: 'Administrator' });

export const getAdministrator = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getAdministrator',
    summary: 'Tells whether somebody is an administrator of this server.',
    auth: 'admin',
    params,
    response: isAdmin,
  },
  ({ care }: { care: AccountCare }) =>
    async ({ params: { userId } }) => ({ admin: (await care.describe(userId)).isAdmin }),
);

export const setAdministrator = endpoint(
  {
    method: 'PUT',
    path,
    operationId: 'setAdministrator',
    summary: 'Makes somebody an administrator of this server, or an ordinary user again.',
    auth: 'admin',
    params,
    body: isAdmin,
    response: emptyObject,
  },
  ({ administering }: { administering: Administering }) =>
    async ({ sender, params: { userId }, body }) => {
      await administering.setAdmin(sender.userId, userId, body.admin);
      return {};
    },
);
