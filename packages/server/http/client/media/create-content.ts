import { Type } from 'typebox';
import type { Media } from '../../../services/media/media-service.ts';
import { endpoint } from '../../endpoint.ts';

export const createContent = endpoint(
  {
    method: 'POST',
    path: '/_matrix/media/v1/create',
    operationId: 'createContent',
    summary: 'Create a new `mxc://` URI without uploading the content.',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'upload',
    response: Type.Object(
      { content_uri: Type.String(), unused_expires_at: Type.Integer() },
      { title: 'AnnouncedContent' },
    ),
  },
  ({ media }: { media: Media }) =>
    async ({ sender }) => {
      const { contentUri, unusedExpiresAt } = await media.announce(sender.userId);
      return { content_uri: contentUri, unused_expires_at: unusedExpiresAt };
    },
);
