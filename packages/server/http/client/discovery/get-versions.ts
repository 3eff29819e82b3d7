import { Type } from 'typebox';
import type { Rendezvous } from '../../../services/rendezvous/rendezvous.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { supportedVersions, unstableFeatures } from './supported-versions.ts';

type Services = { readonly rendezvous: Rendezvous | undefined };

/** Devices meet to log each other in with OAuth 2.0, and for nothing else. */
function featuresOf({ rendezvous }: Services): Readonly<Record<string, boolean>> {
  return rendezvous === undefined ? unstableFeatures : { ...unstableFeatures, 'org.matrix.msc4108': true };
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
