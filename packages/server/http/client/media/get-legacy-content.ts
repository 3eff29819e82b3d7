import type { Media } from '../../../services/media/media-service.ts';
import { rawBytes } from '../../bytes.ts';
import { endpoint, type Sender } from '../../endpoint.ts';
import { deliverFile, deliverThumbnail } from './deliver.ts';
import { refuseIfFrozen } from './frozen.ts';
import type { Caching } from './serving.ts';
import { legacyDownloadQuery, legacyThumbnailQuery, mediaParams, namedMediaParams } from './schemas.ts';

type Services = { readonly media: Media; readonly mediaAccess: { readonly requireAuthentication: boolean } };

/**
 * Programs of before 2024 know no other paths, but show their token on these as on all others: they may have what the
 * newer paths would give them.
 */
function permit(services: Services, { sender }: { readonly sender: Sender | undefined }): Caching {
  if (sender !== undefined) return 'private';
  refuseIfFrozen(services);
  return 'shared';
}

const paths = (rest: string) => ({
  path: `/_matrix/media/v3/${rest}`,
  unstablePaths: [`/_matrix/media/r0/${rest}`, `/_matrix/media/v1/${rest}`],
});

export const getLegacyContent = endpoint(
  {
    method: 'GET',
    ...paths('download/:serverName/:mediaId'),
    operationId: 'getContent',
    summary: 'Download content from the content repository.',
    auth: 'anyone',
    rateLimit: 'get-media',
    params: mediaParams,
    query: legacyDownloadQuery,
    response: rawBytes,
  },
  (services: Services) => async (request) => deliverFile(services.media, request, permit(services, request)),
);

export const getLegacyNamedContent = endpoint(
  {
    method: 'GET',
    ...paths('download/:serverName/:mediaId/:fileName'),
    operationId: 'getContentOverrideName',
    summary: 'Download content from the content repository overriding the file name',
    auth: 'anyone',
    rateLimit: 'get-media',
    params: namedMediaParams,
    query: legacyDownloadQuery,
    response: rawBytes,
  },
  (services: Services) => async (request) => deliverFile(services.media, request, permit(services, request)),
);

export const getLegacyThumbnail = endpoint(
  {
    method: 'GET',
    ...paths('thumbnail/:serverName/:mediaId'),
    operationId: 'getContentThumbnail',
    summary: 'Download a thumbnail of content from the content repository',
    auth: 'anyone',
    rateLimit: 'get-media',
    params: mediaParams,
    query: legacyThumbnailQuery,
    response: rawBytes,
  },
  (services: Services) => async (request) => deliverThumbnail(services.media, request, permit(services, request)),
);
