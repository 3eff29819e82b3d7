import type { Media } from '../../../services/media/media-service.ts';
import type { Bytes } from '../../bytes.ts';
import { type Caching, serve } from './serving.ts';

type Asked = {
  readonly params: { readonly serverName: string; readonly mediaId: string; readonly fileName?: string };
  readonly query: { readonly timeout_ms?: number; readonly allow_remote?: boolean };
  readonly signal: AbortSignal;
};

type AskedSmaller = Asked & {
  readonly query: {
    readonly width: number;
    readonly height: number;
    readonly method?: 'crop' | 'scale';
    readonly animated?: boolean;
  };
};

function findMedia(media: Media, { params, query, signal }: Asked) {
  const { timeout_ms: timeoutMs, allow_remote: allowRemote = true } = query;
  return media.find(params.serverName, params.mediaId, { timeoutMs, signal, allowRemote });
}

/** A file as it was uploaded, under the name that is asked for or the one that it came with. */
export async function deliverFile(media: Media, asked: Asked, cached: Caching): Promise<Bytes> {
  const found = await findMedia(media, asked);
  return serve(media, found, asked.params.fileName ?? found.name, cached);
}

export async function deliverThumbnail(media: Media, asked: AskedSmaller, cached: Caching): Promise<Bytes> {
  const { width, height, method = 'scale', animated = false } = asked.query;
  const found = await findMedia(media, asked);
  const thumbnail = await media.thumbnail(found, { width, height, method, animated });
  const [, extension = ''] = thumbnail.contentType.split('/');
  return serve(media, thumbnail, `thumbnail.${extension}`, cached);
}
