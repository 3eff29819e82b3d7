import { Type } from 'typebox';
import type { Media } from '../../../services/media/media-service.ts';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { uploadQuery } from './schemas.ts';

export const uploadContent = endpoint(
  {
    method: 'POST',
    path: '/_matrix/media/v3/upload',
    unstablePaths: ['/_matrix/media/r0/upload', '/_matrix/media/v1/upload'],
    operationId: 'uploadContent',
    summary: 'Upload some content to the content repository.',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'upload',
    query: uploadQuery,
    body: rawBody,
    response: Type.Object({ content_uri: Type.String() }, { title: 'ContentUri' }),
  },
  ({ media }: { media: Media }) =>
    async ({ sender, query, body }) => ({
      content_uri: await media.upload(sender.userId, { ...body, name: query.filename }),
    }),
);
