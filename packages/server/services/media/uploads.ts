import { isMediaId } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { findMedia } from '@portico/storage/stores/media/media.ts';
import { listMediaOf, listUploadsOf, type UploadRow } from '@portico/storage/stores/media/media-of-user.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ContentStore } from './content-store.ts';
import { removeFiles } from './remove-media.ts';

export type UploadOrder =
  | 'created_ts'
  | 'media_length'
  | 'media_type'
  | 'media_id'
  | 'quarantined_by'
  | 'safe_from_quarantine';

export type UploadPage = {
  readonly uploads: readonly UploadRow[];
  readonly next: number | undefined;
  /** Ten thousand at most. */
  readonly total: number;
};

/** The files that people of this server have uploaded, for administrators: neither what is in them nor what they are called. */
export interface Uploads {
  /** Throws `user.not-found`. Of somebody who has more than ten thousand it is the newest of them. */
  list(
    userId: string,
    page: {
      readonly order: UploadOrder;
      readonly isDescending: boolean;
      readonly from: number;
      readonly limit: number;
    },
  ): Promise<UploadPage>;
  /** Deletes one file of this server, with its thumbnails. Throws `media.not-found`. */
  remove(origin: string, mediaId: string): Promise<void>;
  /** Deletes the oldest files of somebody, and answers their IDs. Throws `user.not-found`. */
  removeOldest(userId: string, limit: number): Promise<readonly string[]>;
}

type Dependencies = { readonly db: Database; readonly store: ContentStore; readonly serverName: string };

const mostSorted = 10_000;
const maxPage = 1000;

export function createUploads({ db, store, serverName }: Dependencies): Uploads {
  async function requireUser(userId: string): Promise<void> {
    if ((await findAccount(db, userId)) === undefined) throw new MatrixError('user.not-found');
  }

  return {
    async list(userId, { order, isDescending, from, limit: wanted }) {
      await requireUser(userId);
      const rows = await listUploadsOf(db.long, userId, mostSorted);
      const ascending = rows.toSorted(
        (a, b) => compare(keyOf(a, order), keyOf(b, order)) || compare(a.media_id, b.media_id),
      );
      const sorted = isDescending ? ascending.toReversed() : ascending;
      const end = from + Math.min(wanted, maxPage);
      const uploads = sorted.slice(from, end);
      return { uploads, next: uploads.length > 0 && end < rows.length ? end : undefined, total: rows.length };
    },
    async remove(origin, mediaId) {
      const row = isMediaId(mediaId) && origin === serverName ? await findMedia(db, { origin, mediaId }) : undefined;
      if (!row?.content_id) throw new MatrixError('media.not-found');
      await removeFiles({ db, store }, [{ origin, media_id: mediaId, content_id: row.content_id }]);
    },
    async removeOldest(userId, limit) {
      await requireUser(userId);
      const media = await listMediaOf(db, userId, { after: undefined, limit: Math.min(limit, maxPage) });
      if (media.length > 0) await removeFiles({ db, store }, media);
      return media.map(({ media_id: id }) => id);
    },
  };
}

function keyOf(row: UploadRow, order: UploadOrder): string | number {
  switch (order) {
    case 'created_ts':
      return row.created_at;
    case 'media_length':
      return row.size;
    case 'media_type':
      return row.content_type ?? '';
    case 'media_id':
      return row.media_id;
    case 'quarantined_by':
      return row.quarantined_by ?? '';
    case 'safe_from_quarantine':
      return row.is_protected;
    default:
      return order satisfies never;
  }
}

function compare(a: string | number, b: string | number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
