import { Type } from 'typebox';
import type { ThirdParty } from '../../../services/appservices/third-party.ts';
import { endpoint } from '../../endpoint.ts';

const path = '/_matrix/client/v3/thirdparty';
const protocolParams = Type.Object({ protocol: Type.String() });
/** Which fields there are, the protocol says. */
const fields = Type.Object({}, { additionalProperties: Type.String() });
const protocol = Type.Unsafe<object>({ type: 'object', title: 'Protocol' });
const results = Type.Unsafe<readonly object[]>(Type.Array(Type.Object({}), { title: 'ThirdPartyResults' }));
const rateLimit = 'directory';

type Services = { readonly thirdParty: ThirdParty };

export const getProtocols = endpoint(
  {
    method: 'GET',
    path: `${path}/protocols`,
    operationId: 'getProtocols',
    summary: 'Retrieve metadata about all third-party protocols',
    auth: 'user',
    rateLimit,
    response: Type.Record(Type.String(), protocol, { title: 'Protocols' }),
  },
  ({ thirdParty }: Services) =>
    () =>
      thirdParty.protocols(),
);

export const getProtocolMetadata = endpoint(
  {
    method: 'GET',
    path: `${path}/protocol/:protocol`,
    operationId: 'getProtocolMetadata',
    summary: 'Retrieve metadata about a third-party protocol',
    auth: 'user',
    rateLimit,
    params: protocolParams,
    response: protocol,
  },
  ({ thirdParty }: Services) =>
    ({ params }) =>
      thirdParty.protocol(params.protocol),
);

export const queryLocationByProtocol = endpoint(
  {
    method: 'GET',
    path: `${path}/location/:protocol`,
    operationId: 'queryLocationByProtocol',
    summary: 'Retrieve portal rooms leading to a third-party location',
    auth: 'user',
    rateLimit,
    params: protocolParams,
    query: fields,
    response: results,
  },
  ({ thirdParty }: Services) =>
    ({ params, query }) =>
      thirdParty.find('location', params.protocol, query as Record<string, string>),
);

export const queryUserByProtocol = endpoint(
  {
    method: 'GET',
    path: `${path}/user/:protocol`,
    operationId: 'queryUserByProtocol',
    summary: 'Retrieve the Matrix user ID of a third-party user',
    auth: 'user',
    rateLimit,
    params: protocolParams,
    query: fields,
    response: results,
  },
  ({ thirdParty }: Services) =>
    ({ params, query }) =>
      thirdParty.find('user', params.protocol, query as Record<string, string>),
);

export const queryLocationByAlias = endpoint(
  {
    method: 'GET',
    path: `${path}/location`,
    operationId: 'queryLocationByAlias',
    summary: 'Look up third-party locations by a room alias',
    auth: 'user',
    rateLimit,
    query: Type.Object({ alias: Type.String() }),
    response: results,
  },
  ({ thirdParty }: Services) =>
    ({ query }) =>
      thirdParty.findByName('location', query),
);

export const queryUserById = endpoint(
  {
    method: 'GET',
    path: `${path}/user`,
    operationId: 'queryUserByID',
    summary: 'Look up third-party users by a Matrix user ID',
    auth: 'user',
    rateLimit,
    query: Type.Object({ userid: Type.String() }),
    response: results,
  },
  ({ thirdParty }: Services) =>
    ({ query }) =>
      thirdParty.findByName('user', query),
);
