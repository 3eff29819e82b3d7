import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';

/** Nobody has any yet; clients ask whenever their settings are opened. */
const answer = { threepids: [] };

export const getThirdPartyIds = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/account/3pid',
    operationId: 'getAccount3PIDs',
    summary: "Gets a list of a user's third-party identifiers.",
    auth: 'user',
    response: Type.Object({ threepids: Type.Array(Type.Object({})) }, { title: 'ThirdPartyIds' }),
  },
  () => () => answer,
);
