import { createDownload } from '../services/federation/media/download.ts';
import { createRemoteMediaCache } from '../services/federation/media/media-cache.ts';
import { createRemoteMedia } from '../services/federation/media/remote-media.ts';
import type { FindRemoteMedia } from '../services/media/media-service.ts';
import type { UrlPreviews } from '../services/previews/url-previews.ts';
import { createPreviewParts, type PreviewContext } from './url-previews.ts';
import type { Federation } from './federation.ts';

type Context = PreviewContext & { readonly federation: Pick<Federation, 'client' | 'outbound'> };

export type RemoteMediaParts = {
  /** Absent where this server talks to no others. */
  readonly findRemoteMedia?: FindRemoteMedia;
  /** Absent where none are made. */
  readonly urlPreviews?: UrlPreviews;
  close(): Promise<void>;
};

/** What others have: media of other servers, and previews of pages. Both are kept in one cache. */
export function createRemoteMediaParts(context: Context): RemoteMediaParts {
  const { config, db, store, federation, now, log } = context;
  const { maxRemoteSize: mostBytes, remoteCacheSize: quota } = config.media;
  const cache = createRemoteMediaCache({ db, store, quota, log });
  const download = createDownload({ ...federation, mostBytes });
  const previews = config.urlPreviews.enabled ? createPreviewParts(context, cache.grown) : undefined;
  return {
    ...(config.federation.enabled && {
      findRemoteMedia: createRemoteMedia({ db, store, cache, download, mostBytes, now, log }),
    }),
    ...(previews && { urlPreviews: previews.urlPreviews }),
    async close() {
      await previews?.close();
      await cache.close();
    },
  };
}
