import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { endpoint } from '../../endpoint.ts';

// No application service bridges another network yet: there are no protocols, and nothing can be found by them.
const path = '/_matrix/client/v3/thirdparty';
const protocolParams = Type.Object({ protocol: Type.String() });
const results = Type.Array(Type.Object({}), { title: 'ThirdPartyResults' });

function nothingFound(message: string): never {
  throw new MatrixError('not-found', { message });
}

export const getProtocols = endpoint(
  {
    method: 'GET',
    path: `${path}/protocols`,
    operationId: 'getProtocols',
    summary: 'Retrieve metadata about all third-party protocols',
    auth: 'user',
    response: Type.Object({}, { title: 'Protocols' }),
  },
  () => () => ({}),
);

export const getProtocolMetadata = endpoint(
  {
    method: 'GET',
    path: `${path}/protocol/:protocol`,
    operationId: 'getProtocolMetadata',
    summary: 'Retrieve metadata about a third-party protocol',
    auth: 'user',
    params: protocolParams,
    response: Type.Object({}, { title: 'Protocol' }),
  },
  () =>
    ({ params }) =>
      nothingFound(`The protocol ${params.protocol} is not known.`),
);

export const queryLocationByProtocol = endpoint(
  {
    method: 'GET',
    path: `${path}/location/:protocol`,
    operationId: 'queryLocationByProtocol',
    summary: 'Retrieve portal rooms leading to a third-party location',
    auth: 'user',
    params: protocolParams,
    response: results,
  },
  () =>
    ({ params }) =>
      nothingFound(`The protocol ${params.protocol} is not known.`),
);

export const queryUserByProtocol = endpoint(
  {
    method: 'GET',
    path: `${path}/user/:protocol`,
    operationId: 'queryUserByProtocol',
    summary: 'Retrieve the Matrix user ID of a third-party user',
    auth: 'user',
    params: protocolParams,
    response: results,
  },
  () =>
    ({ params }) =>
      nothingFound(`The protocol ${params.protocol} is not known.`),
);

export const queryLocationByAlias = endpoint(
  {
    method: 'GET',
    path: `${path}/location`,
    operationId: 'queryLocationByAlias',
    summary: 'Look up third-party locations by a room alias',
    auth: 'user',
    query: Type.Object({ alias: Type.String() }),
    response: results,
  },
  () => () => nothingFound('The alias leads to no third-party location.'),
);

export const queryUserById = endpoint(
  {
    method: 'GET',
    path: `${path}/user`,
    operationId: 'queryUserByID',
    summary: 'Look up third-party users by a Matrix user ID',
    auth: 'user',
    query: Type.Object({ userid: Type.String() }),
    response: results,
  },
  () => () => nothingFound('The user ID belongs to no third-party user.'),
);
