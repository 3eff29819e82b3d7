import type { ServerName } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { findMedia, type MediaKey } from '@portico/storage/stores/media/media.ts';
import { addRemoteMedia, touchRemoteMedia } from '@portico/storage/stores/media/remote-media.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Logger } from '../../../observability/logger.ts';
import type { ContentStore } from '../../media/content-store.ts';
import { parseContentType } from '../../media/content-type.ts';
import type { FindRemoteMedia, Patience } from '../../media/media-service.ts';
import { readChunks, receive } from '../../media/receive.ts';
import { contentOf, type StoredMedia } from '../../media/stored-media.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import { FederationError } from '../client/federation-error.ts';
import type { Download } from './download.ts';
import type { RemoteMediaCache } from './media-cache.ts';

type Dependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly cache: RemoteMediaCache;
  readonly download: Download;
  readonly mostBytes: number;
  readonly now: () => number;
  readonly log: Logger;
};

type Key = { readonly origin: ServerName; readonly mediaId: string };

/** Files on their way here at the same time. */
const mostFetches = 32;
/** What was read within that time is not noted again, in milliseconds. */
const noteEvery = 60 * 60_000;
const defaultWait = 20_000;
const longestWait = 60_000;

/** Media of other servers: from here where somebody has asked for them before, or fetched, each once for all who wait. */
export function createRemoteMedia(deps: Dependencies): FindRemoteMedia {
  const { db, store, cache, download, mostBytes, now, log } = deps;
  const underway = new Map<string, Promise<StoredMedia | undefined>>();

  async function findHere(key: MediaKey): Promise<StoredMedia | undefined> {
    const row = await findMedia(db, key);
    const media = row && contentOf(row);
    if (media === undefined) return undefined;
    const at = now();
    if (row?.read_at !== null && row !== undefined && at - row.read_at > noteEvery) {
      const set = createWriteSet();
      touchRemoteMedia(set, key, at);
      await db.commit(set);
    }
    return media;
  }

  async function keep(key: MediaKey, media: StoredMedia): Promise<StoredMedia | undefined> {
    const set = createWriteSet();
    addRemoteMedia(set, key, media, now());
    try {
      await db.commit(set);
    } catch (error) {
      if (error instanceof StorageError && error.reason === 'outcome-unknown') throw error;
      await store.delete(media.contentId);
      if (error instanceof StorageError && error.guard === 'media.fetched') return findHere(key);
      throw error;
    }
    cache.grown(media.size);
    return media;
  }

  async function fetchMedia({ origin, mediaId }: Key, timeoutMs: number): Promise<StoredMedia | undefined> {
    try {
      const { contentType, name, chunks } = await download(origin, mediaId, timeoutMs);
      const received = await receive(store, readChunks(chunks), mostBytes);
      return await keep({ origin, mediaId }, { ...received, contentType: parseContentType(contentType), name });
    } catch (error) {
      log.info({ origin, mediaId, reason: error instanceof Error ? error.message : '' }, 'Media could not be fetched');
      return refuse(error);
    }
  }

  return async (key, { timeoutMs = defaultWait, signal }) => {
    const here = await findHere(key);
    if (here !== undefined) return here;
    const name = `${key.origin}/${key.mediaId}`;
    const patience = Math.min(timeoutMs, longestWait);
    let fetched = underway.get(name);
    if (fetched === undefined) {
      if (underway.size >= mostFetches)
        throw new MatrixError('server.overloaded', { fields: { retry_after_ms: 2000 } });
      fetched = fetchMedia(key, patience).finally(() => underway.delete(name));
      // It goes on for others, and for another time, when nobody waits any more.
      fetched.catch(() => undefined);
      underway.set(name, fetched);
    }
    return inTime(fetched, { timeoutMs: patience, signal });
  };
}

/** Whoever waits hears in time that it takes longer. */
function inTime<T>(work: Promise<T>, { timeoutMs = 0, signal }: Patience): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new MatrixError('media.not-yet-uploaded'));
    const timer = setTimeout(late, timeoutMs);
    signal.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', late);
    });
  });
}

/** What a failure is to who asked for the media. */
function refuse(error: unknown): undefined {
  if (error instanceof MatrixError && error.reason === 'media.too-large')
    throw new MatrixError('media.too-large-to-fetch');
  if (error instanceof OutboundError) {
    throw new MatrixError(error.failure === 'too-large' ? 'media.too-large-to-fetch' : 'federation.failed');
  }
  if (!(error instanceof FederationError)) throw error;
  if (error.failure === 'too-large' || error.refusal?.errcode === 'M_TOO_LARGE') {
    throw new MatrixError('media.too-large-to-fetch');
  }
  if (error.refusal?.errcode === 'M_NOT_YET_UPLOADED') throw new MatrixError('media.not-yet-uploaded');
  if (error.refusal?.status === 404) return undefined;
  throw new MatrixError('federation.failed');
}
