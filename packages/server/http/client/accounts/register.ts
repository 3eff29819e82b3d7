import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Registration } from '../../../services/accounts/registration.ts';
import { endpoint } from '../../endpoint.ts';
import { authData, registered } from './schemas.ts';

export const register = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/register',
    operationId: 'register',
    summary: 'Register for an account on this homeserver.',
    auth: 'optional-app-service',
    rateLimit: 'register',
    query: Type.Object({ kind: Type.Optional(Type.Union([Type.Literal('user'), Type.Literal('guest')])) }),
    body: Type.Object(
      {
        type: Type.Optional(Type.String()),
        auth: Type.Optional(authData),
        username: Type.Optional(Type.String()),
        password: Type.Optional(Type.String()),
        device_id: Type.Optional(Type.String()),
        initial_device_display_name: Type.Optional(Type.String()),
        inhibit_login: Type.Optional(Type.Boolean()),
        refresh_token: Type.Optional(Type.Boolean()),
      },
      { title: 'Register' },
    ),
    response: registered,
  },
  ({ registration }: { registration: Registration }) =>
    ({ query, body, appService }) => {
      if (query.kind === 'guest') throw new MatrixError('registration.guest');
      return registration.register(body, appService);
    },
);
