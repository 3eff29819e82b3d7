import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { supportedVersions, unstableFeatures } from './supported-versions.ts';

const answer = rawJson(JSON.stringify({ versions: supportedVersions, unstable_features: unstableFeatures }));

export const getVersions = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/versions',
    operationId: 'getVersions',
    summary: 'Gets the versions of the specification supported by the server.',
    auth: 'none',
    response: Type.Object(
      {
        versions: Type.Array(Type.String()),
        unstable_features: Type.Optional(Type.Record(Type.String(), Type.Boolean())),
      },
      { title: 'Versions' },
    ),
  },
  () => () => answer,
);
