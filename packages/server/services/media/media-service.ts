import type { Readable } from 'node:stream';
import { formatMxcUri, isMediaId, parseServerName, type ServerName } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import {
  addMedia,
  addMediaPlace,
  fillMediaPlace,
  findMedia,
  type MediaKey,
} from '@portico/storage/stores/media/media.ts';
import { isQuarantined } from '@portico/storage/stores/media/quarantined-media.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { type After, realTimers } from '../sync/waiting.ts';
import { createArrivals } from './arrivals.ts';
import type { ContentRange, ContentStore } from './content-store.ts';
import { parseContentType } from './content-type.ts';
import { startHousekeeping, type HousekeepingLog } from './housekeeping.ts';
import type { Readings } from './readings.ts';
import { receive, type ReadFile } from './receive.ts';
import { contentOf, type StoredMedia } from './stored-media.ts';
import { createThumbnailer, type Thumbnail } from './thumbnails/thumbnailer.ts';
import type { Wanted } from './thumbnails/variant.ts';
import { createUploadSlots } from './upload-slots.ts';

/** A file on its way here. */
export type Upload = {
  readonly read: ReadFile;
  /** What the sender says, in bytes. */
  readonly length: number | undefined;
  readonly contentType: string | undefined;
  readonly name: string | undefined;
};

export type Place = { readonly contentUri: string; readonly unusedExpiresAt: number };

/** How long a request waits for content that has been announced, and for how long its sender does. */
export type Patience = { readonly timeoutMs: number | undefined; readonly signal: AbortSignal };

/** Fetches media of another server, or finds them fetched. Answers `undefined` if there are none to be had. */
export type FindRemoteMedia = (
  key: { readonly origin: ServerName; readonly mediaId: string },
  patience: Patience,
) => Promise<StoredMedia | undefined>;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#content-repository} */
export interface Media {
  readonly maxUploadSize: number;
  /** Stores a file and answers its `mxc://` URI. */
  upload(userId: string, upload: Upload): Promise<string>;
  /** An address for a file that comes later. */
  announce(userId: string): Promise<Place>;
  /** Brings the file. Only who announced it may, once, in time. */
  uploadTo(userId: string, origin: string, mediaId: string, upload: Upload): Promise<void>;
  /** Throws `media.not-found` or `media.not-yet-uploaded`. Media of other servers only if `allowRemote`. */
  find(origin: string, mediaId: string, options: Patience & { readonly allowRemote: boolean }): Promise<StoredMedia>;
  read(contentId: string, range: ContentRange | undefined): Promise<Readable>;
  thumbnail(media: StoredMedia, wanted: Wanted): Promise<Thumbnail>;
  close(): Promise<void>;
}

export type MediaDependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly readings: Pick<Readings, 'note'>;
  readonly serverName: ServerName;
  readonly maxUploadSize: number;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: HousekeepingLog;
  readonly after?: After;
  /** Absent where there is no federation. */
  readonly findRemoteMedia?: FindRemoteMedia;
};

const day = 24 * 60 * 60 * 1000;
/** The spec's recommendation. */
const unusedPlaceLives = day;
const mostUnusedPlaces = 50;
/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid} */
const defaultWait = 20_000;
const longestWait = 60_000;

export function createMediaService(dependencies: MediaDependencies): Media {
  const { db, store, readings, serverName, maxUploadSize, now, randomBytes, log, findRemoteMedia } = dependencies;
  const { after = realTimers } = dependencies;
  const arrivals = createArrivals({ db, after });
  const slots = createUploadSlots();
  const thumbnailer = createThumbnailer({ db, store });
  const housekeeping = startHousekeeping({ db: db.long, store, now, after, log });

  const newKey = (): MediaKey & { origin: ServerName } => ({
    origin: serverName,
    mediaId: Buffer.from(randomBytes(18)).toString('base64url'),
  });

  /** Receives a file, and commits what is to be said about it. */
  function storeFor(userId: string, upload: Upload, write: (set: WriteSet, media: StoredMedia) => void): Promise<void> {
    const { length = 0, contentType, name, read } = upload;
    if (length > maxUploadSize) throw new MatrixError('media.too-large');
    return slots.use(userId, async () => {
      const received = await receive(store, read, maxUploadSize);
      const set = createWriteSet();
      // Files can be long in coming: an account that has ended meanwhile gets nothing more.
      refuseDeactivated(set, userId);
      write(set, { ...received, contentType: parseContentType(contentType), name: name === '' ? undefined : name });
      try {
        await db.commit(set);
      } catch (error) {
        await housekeeping.discard(received.contentId, error);
        throw error;
      }
    });
  }

  async function refusePlace(userId: string, key: MediaKey): Promise<void> {
    const row = key.origin === serverName && isMediaId(key.mediaId) ? await findMedia(db, key) : undefined;
    if (row === undefined) throw new MatrixError('media.not-found');
    if (row.user_id !== userId) throw new MatrixError('media.not-yours');
    if (row.content_id !== null) throw new MatrixError('media.already-uploaded');
    if ((row.unused_expires_at ?? 0) <= now()) throw new MatrixError('media.not-found');
  }

  async function findLocal(key: MediaKey, { timeoutMs = defaultWait, signal }: Patience): Promise<StoredMedia> {
    const load = async (): Promise<StoredMedia | undefined> => {
      const row = await findMedia(db, key);
      const expired = row?.content_id === null && (row.unused_expires_at ?? 0) <= now();
      if (row === undefined || expired) throw new MatrixError('media.not-found');
      const media = contentOf(row);
      if (media !== undefined) readings.note(key, row);
      return media;
    };
    const found = await load();
    if (found) return found;
    const arrived = arrivals.wait(key, Math.min(timeoutMs, longestWait), signal);
    // It may have come before anybody waited for it.
    const media = (await load()) ?? ((await arrived) ? await load() : undefined);
    if (media === undefined) throw new MatrixError('media.not-yet-uploaded');
    return media;
  }

  async function refuseQuarantined(key: MediaKey): Promise<void> {
    if (await isQuarantined(db, key)) throw new MatrixError('media.not-found');
  }

  return {
    maxUploadSize,
    async upload(userId, upload) {
      const key = newKey();
      await storeFor(userId, upload, (set, media) => addMedia(set, key, userId, media, now()));
      return formatMxcUri({ serverName, mediaId: key.mediaId });
    },
    async announce(userId) {
      const { mediaId } = newKey();
      const at = now();
      const unusedExpiresAt = at + unusedPlaceLives;
      const set = createWriteSet();
      const place = { userId, now: at, expiresAt: unusedExpiresAt, mostUnused: mostUnusedPlaces };
      refuseDeactivated(set, userId);
      addMediaPlace(set, { origin: serverName, mediaId }, place);
      await db.commit(set);
      return { contentUri: formatMxcUri({ serverName, mediaId }), unusedExpiresAt };
    },
    async uploadTo(userId, origin, mediaId, upload) {
      const key = { origin, mediaId };
      await refusePlace(userId, key);
      await storeFor(userId, upload, (set, media) => fillMediaPlace(set, key, userId, media, now()));
    },
    async find(originText, mediaId, { allowRemote, ...patience }) {
      const origin = parseServerName(originText);
      // Anything else could not be part of a path, a URL or a header.
      if (origin === undefined || !isMediaId(mediaId)) throw new MatrixError('media.not-found');
      const key = { origin, mediaId };
      // Before anything is fetched, and again once it is here, which may be a while later.
      await refuseQuarantined(key);
      const media = await (origin === serverName
        ? findLocal(key, patience)
        : allowRemote
          ? findRemoteMedia?.(key, patience)
          : undefined);
      if (media === undefined) throw new MatrixError('media.not-found');
      await refuseQuarantined(key);
      return media;
    },
    read: (contentId, range) => store.read(contentId, range),
    thumbnail: (media, wanted) => thumbnailer.get(media, wanted),
    async close() {
      arrivals.close();
      await Promise.all([thumbnailer.close(), housekeeping.close()]);
    },
  };
}
