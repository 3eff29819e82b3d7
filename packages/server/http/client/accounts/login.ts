import { serverNameOf } from '@portico/protocol/ids/user-id.ts';
import { Type } from 'typebox';
import type { Login } from '../../../services/accounts/login.ts';
import { endpoint } from '../../endpoint.ts';
import { clientWellKnown, type BaseUrl } from '../discovery/base-url.ts';
import { wellKnown } from '../discovery/schemas.ts';

const identifier = Type.Object(
  {
    type: Type.String(),
    user: Type.Optional(Type.String()),
    medium: Type.Optional(Type.String()),
    address: Type.Optional(Type.String()),
  },
  { title: 'UserIdentifier' },
);

export const login = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/login',
    operationId: 'login',
    summary: 'Authenticates the user.',
    auth: 'optional-app-service',
    rateLimit: 'login',
    body: Type.Object(
      {
        type: Type.String(),
        identifier: Type.Optional(identifier),
        user: Type.Optional(Type.String()),
        medium: Type.Optional(Type.String()),
        address: Type.Optional(Type.String()),
        password: Type.Optional(Type.String()),
        token: Type.Optional(Type.String()),
        device_id: Type.Optional(Type.String()),
        initial_device_display_name: Type.Optional(Type.String()),
        refresh_token: Type.Optional(Type.Boolean()),
      },
      { title: 'Login' },
    ),
    response: Type.Object(
      {
        user_id: Type.String(),
        access_token: Type.String(),
        device_id: Type.String(),
        home_server: Type.Optional(Type.String()),
        refresh_token: Type.Optional(Type.String()),
        expires_in_ms: Type.Optional(Type.Integer()),
        well_known: Type.Optional(wellKnown),
      },
      { title: 'LoggedIn' },
    ),
  },
  ({ login, discovery }: { login: Login; discovery: BaseUrl }) =>
    async ({ body, appService }) => {
      const session = await login.logIn(body, appService);
      const homeServer = serverNameOf(session.user_id) ?? '';
      return { ...session, home_server: homeServer, well_known: clientWellKnown(discovery) };
    },
);
