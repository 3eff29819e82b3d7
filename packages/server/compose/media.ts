import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { WatchCache } from '../observability/cache-metrics.ts';
import type { Logger } from '../observability/logger.ts';
import type { ContentStore } from '../services/media/content-store.ts';
import { openFileStore } from '../services/media/file-store.ts';
import { createMediaService, type Media } from '../services/media/media-service.ts';
import { createQuarantine, type Quarantine } from '../services/media/quarantine.ts';
import { createReadings } from '../services/media/readings.ts';
import { createRemoveUnused, type RemoveUnused } from '../services/media/remove-unused.ts';
import { createRoomQuarantines, type RoomQuarantines } from '../services/media/room-quarantines.ts';
import { createUploads, type Uploads } from '../services/media/uploads.ts';
import type { UrlPreviews } from '../services/previews/url-previews.ts';
import type { Federation } from './federation.ts';
import { createRemoteMediaParts } from './remote-media.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly serverName: ServerName;
  readonly federation: Pick<Federation, 'client' | 'outbound'>;
  readonly now: () => number;
  readonly log: Logger;
  readonly watch: WatchCache | undefined;
};

export type MediaParts = {
  readonly store: ContentStore;
  readonly services: {
    readonly media: Media;
    readonly quarantine: Quarantine;
    readonly roomQuarantines: RoomQuarantines;
    readonly uploads: Uploads;
    readonly removeUnusedMedia: RemoveUnused;
    /** Absent where none are made. */
    readonly urlPreviews?: UrlPreviews;
    readonly mediaAccess: { readonly requireAuthentication: boolean };
  };
  close(): Promise<void>;
};

/** Files that people send, here and elsewhere, and where they are kept. */
export async function openMedia(context: Context): Promise<MediaParts> {
  const { config, db, serverName, now, log } = context;
  const { maxUploadSize, requireAuthentication } = config.media;
  const store = await openFileStore({
    folder: join(config.dataDir, 'media'),
    sync: config.durability === 'full',
    randomBytes,
  });
  await store.clearUnfinished();
  const remote = createRemoteMediaParts({ ...context, store });
  const { findRemoteMedia, urlPreviews } = remote;
  const readings = createReadings({ db, now, log });
  const media = createMediaService({
    db,
    store,
    readings,
    serverName,
    maxUploadSize,
    now,
    randomBytes,
    log,
    ...(findRemoteMedia && { findRemoteMedia }),
  });
  return {
    store,
    services: {
      media,
      quarantine: createQuarantine({ db, store, serverName, now }),
      roomQuarantines: createRoomQuarantines({ db, now }),
      uploads: createUploads({ db, store, serverName }),
      removeUnusedMedia: createRemoveUnused({ db, store, readings, serverName }),
      ...(urlPreviews && { urlPreviews }),
      mediaAccess: { requireAuthentication },
    },
    async close() {
      await Promise.all([media.close(), remote.close()]);
      await readings.flush();
    },
  };
}
