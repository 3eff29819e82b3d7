import { Type } from 'typebox';
import type { SharedSecretRegistration } from '../../services/accounts/shared-secret.ts';
import { endpoint } from '../endpoint.ts';

export const getRegistrationNonce = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/register',
    operationId: 'getRegistrationNonce',
    summary: 'Gets a nonce for registration by shared secret.',
    auth: 'none',
    rateLimit: 'shared-secret',
    response: Type.Object({ nonce: Type.String() }, { title: 'RegistrationNonce' }),
  },
  ({ sharedSecret }: { sharedSecret: SharedSecretRegistration }) =>
    async () => ({ nonce: await sharedSecret.nonce() }),
);
