import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import { createDownload } from '../services/federation/media/download.ts';
import { createRemoteMediaCache } from '../services/federation/media/media-cache.ts';
import { createRemoteMedia } from '../services/federation/media/remote-media.ts';
import type { ContentStore } from '../services/media/content-store.ts';
import type { FindRemoteMedia } from '../services/media/media-service.ts';
import type { Federation } from './federation.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly store: ContentStore;
  readonly federation: Pick<Federation, 'client' | 'outbound'>;
  readonly now: () => number;
  readonly log: Logger;
};

/** Media of other servers. Nothing of it where this server talks to no others. */
export function createRemoteMediaParts({ config, db, store, federation, now, log }: Context): {
  readonly findRemoteMedia?: FindRemoteMedia;
  close(): Promise<void>;
} {
  if (!config.federation.enabled) return { close: async () => undefined };
  const { maxRemoteSize: mostBytes, remoteCacheSize: quota } = config.media;
  const cache = createRemoteMediaCache({ db, store, quota, log });
  const download = createDownload({ ...federation, mostBytes });
  return {
    findRemoteMedia: createRemoteMedia({ db, store, cache, download, mostBytes, now, log }),
    close: () => cache.close(),
  };
}
