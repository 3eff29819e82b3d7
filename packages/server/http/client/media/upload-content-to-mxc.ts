import type { Media } from '../../../services/media/media-service.ts';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { mediaParams, uploadQuery } from './schemas.ts';

export const uploadContentToMxc = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/media/v3/upload/:serverName/:mediaId',
    operationId: 'uploadContentToMXC',
    summary: 'Upload content to an `mxc://` URI that was created earlier.',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'upload',
    params: mediaParams,
    query: uploadQuery,
    body: rawBody,
    response: emptyObject,
  },
  ({ media }: { media: Media }) =>
    async ({ sender, params, query, body }) => {
      const { serverName, mediaId } = params;
      await media.uploadTo(sender.userId, serverName, mediaId, { ...body, name: query.filename });
      return {};
    },
);
