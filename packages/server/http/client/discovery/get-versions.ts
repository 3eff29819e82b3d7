import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { supportedVersions, unstableFeatures } from './supported-versions.ts';

/** `hasQrLogin`: whether devices log each other in with QR codes. */
type Services = { readonly hasQrLogin: boolean };

function featuresOf({ hasQrLogin }: Services): Readonly<Record<string, boolean>> {
  return hasQrLogin ? { ...unstableFeatures, 'org.matrix.msc4108': true } : unstableFeatures;
}

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
  (services: Services) => {
    const features = featuresOf(services);
    const answer = rawJson(JSON.stringify({ versions: supportedVersions, unstable_features: features }));
    return () => answer;
  },
);
