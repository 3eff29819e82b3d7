import type { Media } from '../../../services/media/media-service.ts';
import { rawBytes } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { deliverFile, deliverThumbnail } from './deliver.ts';
import { downloadQuery, mediaParams, namedMediaParams, thumbnailQuery } from './schemas.ts';

type Services = { readonly media: Media };

export const getContent = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/media/download/:serverName/:mediaId',
    operationId: 'getContentAuthed',
    summary: 'Download content from the content repository.',
    auth: 'user',
    rateLimit: 'get-media',
    params: mediaParams,
    query: downloadQuery,
    response: rawBytes,
  },
  ({ media }: Services) =>
    (request) =>
      deliverFile(media, request, 'private'),
);

export const getNamedContent = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/media/download/:serverName/:mediaId/:fileName',
    operationId: 'getContentOverrideNameAuthed',
    summary: 'Download content from the content repository overriding the file name.',
    auth: 'user',
    rateLimit: 'get-media',
    params: namedMediaParams,
    query: downloadQuery,
    response: rawBytes,
  },
  ({ media }: Services) =>
    (request) =>
      deliverFile(media, request, 'private'),
);

export const getThumbnail = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/media/thumbnail/:serverName/:mediaId',
    operationId: 'getContentThumbnailAuthed',
    summary: 'Download a thumbnail of content from the content repository',
    auth: 'user',
    rateLimit: 'get-media',
    params: mediaParams,
    query: thumbnailQuery,
    response: rawBytes,
  },
  ({ media }: Services) =>
    (request) =>
      deliverThumbnail(media, request, 'private'),
);
