import {
  downloadMedia as fileOperation,
  downloadThumbnail as thumbnailOperation,
} from '../../../federation-api/media.ts';
import type { Media } from '../../../services/media/media-service.ts';
import { deliverFile, deliverThumbnail } from '../../client/media/deliver.ts';
import { rawBytes } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { multipart } from './multipart.ts';

type Services = { readonly media: Media; readonly serverName: string };

/** Other servers get what is of this one, and nothing that it has from third ones. */
const own = { allow_remote: false };

export const downloadMedia = endpoint({ ...fileOperation, response: rawBytes }, ({ media, serverName }: Services) => {
  return async ({ params: { mediaId }, query, signal }) =>
    multipart(
      await deliverFile(media, { params: { serverName, mediaId }, query: { ...query, ...own }, signal }, 'private'),
    );
});

export const downloadThumbnail = endpoint(
  { ...thumbnailOperation, response: rawBytes },
  ({ media, serverName }: Services) => {
    return async ({ params: { mediaId }, query, signal }) =>
      multipart(
        await deliverThumbnail(
          media,
          { params: { serverName, mediaId }, query: { ...query, ...own }, signal },
          'private',
        ),
      );
  },
);
