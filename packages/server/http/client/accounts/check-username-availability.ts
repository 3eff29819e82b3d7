import { Type } from 'typebox';
import type { Registration } from '../../../services/accounts/registration.ts';
import { endpoint } from '../../endpoint.ts';

export const checkUsernameAvailability = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/register/available',
    operationId: 'checkUsernameAvailability',
    summary: 'Checks to see if a username is available on the server.',
    auth: 'none',
    rateLimit: 'probe-name',
    query: Type.Object({ username: Type.String() }),
    response: Type.Object({ available: Type.Boolean() }, { title: 'Availability' }),
  },
  ({ registration }: { registration: Registration }) =>
    async ({ query }) => {
      await registration.checkAvailable(query.username);
      return { available: true };
    },
);
