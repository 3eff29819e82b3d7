import { Type } from 'typebox';
import type { RegistrationTokens } from '../../../services/accounts/registration-tokens.ts';
import { endpoint } from '../../endpoint.ts';

export const registrationTokenValidity = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/register/m.login.registration_token/validity',
    operationId: 'registrationTokenValidity',
    summary: 'Query if a given registration token is still valid.',
    auth: 'none',
    rateLimit: 'probe-name',
    query: Type.Object({ token: Type.String() }),
    response: Type.Object({ valid: Type.Boolean() }, { title: 'TokenValidity' }),
  },
  ({ registrationTokens }: { registrationTokens: RegistrationTokens }) =>
    async ({ query }) => ({ valid: await registrationTokens.isValid(query.token) }),
);
