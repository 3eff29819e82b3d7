import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Administering } from '../../../services/accounts/administering.ts';
import type { Registration } from '../../../services/accounts/registration.ts';
import { endpoint } from '../../endpoint.ts';

export const findUserByAddress = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/threepid/:medium/users/:address',
    operationId: 'findUserByAddress',
    summary: 'Tells whose an email address is.',
    auth: 'admin',
    params: Type.Object({ medium: Type.String(), address: Type.String() }),
    response: Type.Object({ user_id: Type.String() }, { title: 'UserOfAddress' }),
  },
  ({ administering }: { administering: Administering }) =>
    async ({ params: { medium, address } }) => {
      if (medium !== 'email') throw new MatrixError('user.not-found');
      return { user_id: await administering.findByEmail(address) };
    },
);

export const findUserByExternalId = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/auth_providers/:provider/users/:externalId',
    operationId: 'findUserByExternalId',
    summary: 'Tells who logs in by way of a service as somebody.',
    auth: 'admin',
    params: Type.Object({ provider: Type.String(), externalId: Type.String() }),
    response: Type.Object({ user_id: Type.String() }, { title: 'UserOfExternalId' }),
  },
  ({ administering }: { administering: Administering }) =>
    async ({ params: { provider, externalId } }) => ({
      user_id: await administering.findByExternalId({ provider, subject: externalId }),
    }),
);

export const checkFreeUsername = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/username_available',
    operationId: 'checkFreeUsername',
    summary: 'Tells whether an account of some name can be made, whether people can register or not.',
    auth: 'admin',
    query: Type.Object({ username: Type.String() }),
    response: Type.Object({ available: Type.Literal(true) }, { title: 'FreeUsername' }),
  },
  ({ registration }: { registration: Registration }) =>
    async ({ query }) => {
      await registration.checkFree(query.username);
      return { available: true } as const;
    },
);
