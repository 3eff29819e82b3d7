import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';
import { describeUser, type DescribingServices, userForAdministrators } from './user-for-administrators.ts';

export const getUser = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/users/:userId',
    operationId: 'getUserAsAdmin',
    summary: 'Tells what is known of an account.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    response: userForAdministrators,
  },
  (services: DescribingServices) =>
    ({ params }) =>
      describeUser(services, params.userId),
);
