import { Type } from 'typebox';
import { operation } from './operation.ts';
import { megabyte } from './pdu.ts';

/** For programs that somebody has given a token to: they need not be servers. */
export const getOpenIdUserInfo = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/openid/userinfo',
  operationId: 'exchangeOpenIdToken',
  summary: 'Says whose an OpenID token is.',
  auth: 'none',
  query: Type.Object({ access_token: Type.Optional(Type.String()) }),
  response: Type.Object({ sub: Type.String() }, { title: 'OwnerOfOpenIdToken' }),
  answerLimit: megabyte,
  timeout: 20_000,
});
