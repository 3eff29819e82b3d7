import { Type } from 'typebox';
import type { SharedSecretRegistration } from '../../services/accounts/shared-secret.ts';
import { registered } from '../client/accounts/schemas.ts';
import { endpoint } from '../endpoint.ts';

export const registerBySharedSecret = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/register',
    operationId: 'registerBySharedSecret',
    summary: "Registers an account with the server's shared secret.",
    auth: 'none',
    rateLimit: 'shared-secret',
    body: Type.Object(
      {
        nonce: Type.String(),
        username: Type.String(),
        password: Type.String(),
        mac: Type.String(),
        admin: Type.Optional(Type.Boolean()),
        user_type: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        displayname: Type.Optional(Type.String()),
        inhibit_login: Type.Optional(Type.Boolean()),
      },
      { title: 'SharedSecretRegistration' },
    ),
    response: registered,
  },
  ({ sharedSecret }: { sharedSecret: SharedSecretRegistration }) =>
    ({ body }) =>
      sharedSecret.register(body),
);
