import { availableParallelism } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { addThumbnail, findThumbnail, type ThumbnailRow } from '@portico/storage/stores/media/media-thumbnails.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ErrorReason } from '../../../errors/table.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import type { ContentStore } from '../content-store.ts';
import { receiveBytes } from '../receive.ts';
import type { StoredMedia } from '../stored-media.ts';
import { renderThumbnail, type Rendered } from './render.ts';
import { chooseVariant, type Variant, variantName, type Wanted } from './variant.ts';
import { createWorkQueue } from '../../work-queue.ts';

export type Thumbnail = Omit<StoredMedia, 'name'>;

export interface Thumbnailer {
  /** Throws `media.no-thumbnail`, `media.too-large-to-thumbnail`, `server.overloaded`. */
  get(media: StoredMedia, wanted: Wanted): Promise<Thumbnail>;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly render?: typeof renderThumbnail;
  /** Half of the cores at most: the pool of threads is for files and name look-ups too. */
  readonly concurrency?: number;
  readonly mostWaiting?: number;
};

/** An image is decoded from memory. */
const mostSourceBytes = 32 * 1024 * 1024;

/** Makes thumbnails when they are asked for, each once, and keeps them. */
export function createThumbnailer(dependencies: Dependencies): Thumbnailer {
  const { db, store, render = renderThumbnail, mostWaiting = 100 } = dependencies;
  const { concurrency = Math.ceil(availableParallelism() / 2) } = dependencies;
  const queue = createWorkQueue({ concurrency, mostWaiting });
  const underway = new Map<string, Promise<Thumbnail>>();
  /** What failed would fail again. */
  const refusals = createSmallCache<string, ErrorReason>(10_000);

  async function keep(media: StoredMedia, name: string, row: ThumbnailRow): Promise<Thumbnail> {
    const set = createWriteSet();
    addThumbnail(set, media.contentId, name, row);
    try {
      await db.commit(set);
    } catch (error) {
      const isUnwanted = error instanceof StorageError && error.guard === 'media.thumbnail-unwanted';
      const isUnknown = error instanceof StorageError && error.reason === 'outcome-unknown';
      if (row.thumbnail_id !== null && !isUnknown) await store.delete(row.thumbnail_id);
      const other = isUnwanted ? await findThumbnail(db, media.contentId, name) : undefined;
      if (other) return toThumbnail(media, other);
      throw isUnwanted ? new MatrixError('media.not-found') : error;
    }
    return toThumbnail(media, row);
  }

  async function storeRendered(media: StoredMedia, rendered: Rendered): Promise<ThumbnailRow> {
    const { contentType } = rendered;
    if (rendered.kind === 'original') {
      return { thumbnail_id: null, content_type: contentType, size: media.size };
    }
    const { contentId, size } = await receiveBytes(store, rendered.bytes);
    return { thumbnail_id: contentId, content_type: contentType, size };
  }

  async function make(media: StoredMedia, variant: Variant, name: string): Promise<Thumbnail> {
    if (media.size > mostSourceBytes) throw new MatrixError('media.too-large-to-thumbnail');
    try {
      const rendered = await queue.run(async () =>
        render(await buffer(await store.read(media.contentId, undefined)), variant),
      );
      return await keep(media, name, await storeRendered(media, rendered));
    } catch (error) {
      if (error instanceof MatrixError && isLasting(error)) refusals.set(refusalKey(media, variant), error.reason);
      throw error;
    }
  }

  return {
    async get(media, wanted) {
      const variant = chooseVariant(wanted);
      const refusal = refusals.get(refusalKey(media, variant));
      if (refusal) throw new MatrixError(refusal);
      const name = variantName(variant);
      const row = await findThumbnail(db, media.contentId, name);
      if (row) return toThumbnail(media, row);
      const key = `${media.contentId} ${name}`;
      const made = underway.get(key) ?? make(media, variant, name).finally(() => underway.delete(key));
      underway.set(key, made);
      return made;
    },
    close: () => queue.close(),
  };
}

/** All sizes fail alike; all frames together may take too long where one does not. */
function refusalKey({ contentId }: StoredMedia, { animated }: Variant): string {
  return animated ? `${contentId} animated` : contentId;
}

function isLasting({ reason }: MatrixError): boolean {
  return reason === 'media.no-thumbnail' || reason === 'media.too-large-to-thumbnail';
}

function toThumbnail({ contentId }: StoredMedia, row: ThumbnailRow): Thumbnail {
  const { thumbnail_id: id, content_type: contentType, size } = row;
  return { contentId: id ?? contentId, contentType, size };
}
