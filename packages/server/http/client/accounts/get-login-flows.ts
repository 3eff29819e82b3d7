import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';

const answer = {
  flows: [
    { type: 'm.login.password' },
    { type: 'm.login.token', get_login_token: true },
    { type: 'm.login.application_service' },
    { type: 'uk.half-shot.msc2778.login.application_service' },
  ],
};

const loginFlow = Type.Object(
  { type: Type.String(), get_login_token: Type.Optional(Type.Boolean()) },
  { title: 'LoginFlow' },
);

export const getLoginFlows = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/login',
    operationId: 'getLoginFlows',
    summary: 'Get the supported login types to authenticate users',
    auth: 'none',
    response: Type.Object({ flows: Type.Array(loginFlow) }, { title: 'LoginFlows' }),
  },
  () => () => answer,
);
