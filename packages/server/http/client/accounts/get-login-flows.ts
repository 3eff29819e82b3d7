import { Type } from 'typebox';
import type { Sso } from '../../../services/sso/sso.ts';
import { endpoint } from '../../endpoint.ts';

const ownFlows = [
  { type: 'm.login.password' },
  { type: 'm.login.token', get_login_token: true },
  { type: 'm.login.application_service' },
  { type: 'uk.half-shot.msc2778.login.application_service' },
];

const identityProvider = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    icon: Type.Optional(Type.String()),
    brand: Type.Optional(Type.String()),
  },
  { title: 'IdP' },
);

const loginFlow = Type.Object(
  {
    type: Type.String(),
    get_login_token: Type.Optional(Type.Boolean()),
    identity_providers: Type.Optional(Type.Array(identityProvider)),
  },
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
  ({ sso }: { sso: Sso | undefined }) => {
    const answer = {
      flows: [...ownFlows, ...(sso === undefined ? [] : [{ type: 'm.login.sso', identity_providers: sso.providers }])],
    };
    return () => answer;
  },
);
