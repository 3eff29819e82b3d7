import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { UrlPreviews } from '../../../services/previews/url-previews.ts';
import { endpoint } from '../../endpoint.ts';
import { refuseIfFrozen } from './frozen.ts';

type Services = {
  /** Absent where the server makes none. */
  readonly urlPreviews?: UrlPreviews;
  readonly mediaAccess: { readonly requireAuthentication: boolean };
};

/** > The preferred point in time to return a preview for. The server may return a newer version */
const query = Type.Object({ url: Type.String(), ts: Type.Optional(Type.Integer()) });

const openGraph = Type.Object(
  {
    'matrix:image:size': Type.Optional(Type.Integer()),
    'og:image': Type.Optional(Type.String()),
  },
  { title: 'UrlPreview', additionalProperties: Type.Union([Type.String(), Type.Integer()]) },
);

const summary = 'Get information about a URL for a client';

function find({ urlPreviews }: Services, userId: string, url: string) {
  if (urlPreviews === undefined) throw new MatrixError('preview.disabled');
  return urlPreviews.find(userId, url);
}

export const getUrlPreview = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/media/preview_url',
    operationId: 'getUrlPreviewAuthed',
    summary,
    auth: 'user',
    rateLimit: 'preview',
    query,
    response: openGraph,
  },
  (services: Services) =>
    ({ sender, query }) =>
      find(services, sender.userId, query.url),
);

export const getLegacyUrlPreview = endpoint(
  {
    method: 'GET',
    path: '/_matrix/media/v3/preview_url',
    unstablePaths: ['/_matrix/media/r0/preview_url', '/_matrix/media/v1/preview_url'],
    operationId: 'getUrlPreview',
    summary,
    auth: 'user',
    rateLimit: 'preview',
    query,
    response: openGraph,
  },
  (services: Services) => async (request) => {
    // Its image could not be had by those who ask here.
    refuseIfFrozen(services);
    return find(services, request.sender.userId, request.query.url);
  },
);
