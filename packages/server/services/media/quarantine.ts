import { isMediaId, parseServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import type { MediaKey } from '@portico/storage/stores/media/media.ts';
import { listMediaOf, type UserMediaRow } from '@portico/storage/stores/media/media-of-user.ts';
import { release, setProtected } from '@portico/storage/stores/media/quarantined-media.ts';
import { readLongestUnread } from '@portico/storage/stores/media/remote-media.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { addToQuarantine } from './add-to-quarantine.ts';
import type { ContentStore } from './content-store.ts';
import { removeFiles } from './remove-media.ts';

/** What administrators do about files. */
export interface Quarantine {
  /** Nobody is given the file any more, nor is it fetched from elsewhere. A protected one stays as it is. */
  add(administrator: string, origin: string, mediaId: string): Promise<void>;
  lift(origin: string, mediaId: string): Promise<void>;
  /** All that somebody of this server has uploaded until now and that is not protected; answers how many are new. */
  addAllOf(administrator: string, userId: string): Promise<number>;
  /** Keeps a file of this server from being quarantined. Throws `media.not-found`. */
  protect(mediaId: string, isProtected: boolean): Promise<void>;
  /** Deletes what is kept of other servers' media and was last read before that; answers how many. */
  purgeCache(before: number, signal: AbortSignal): Promise<number>;
}

type Dependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly serverName: string;
  readonly now: () => number;
};

const atOnce = 200;

export function createQuarantine({ db, store, serverName, now }: Dependencies): Quarantine {
  return {
    async add(administrator, origin, mediaId) {
      const key = keyOf(origin, mediaId);
      await addToQuarantine({ db, now }, administrator, [key]);
    },
    async lift(origin, mediaId) {
      const set = createWriteSet();
      release(set, keyOf(origin, mediaId));
      await db.commit(set);
    },
    async addAllOf(administrator, userId) {
      let added = 0;
      for (let after: UserMediaRow | undefined; ;) {
        const media = await listMediaOf(db, userId, { after, limit: atOnce });
        const keys = media.map((row) => ({ origin: row.origin, mediaId: row.media_id }));
        added += await addToQuarantine({ db, now }, administrator, keys);
        after = media.at(-1);
        if (media.length < atOnce) return added;
      }
    },
    async protect(mediaId, isProtected) {
      const set = createWriteSet();
      setProtected(set, keyOf(serverName, mediaId), isProtected);
      await db.commit(set);
    },
    async purgeCache(before, signal) {
      let deleted = 0;
      while (!signal.aborted) {
        const page = await readLongestUnread(db, atOnce);
        const old = page.filter((row) => row.read_at < before);
        await removeFiles({ db, store }, old);
        deleted += old.length;
        if (old.length < atOnce) break;
      }
      return deleted;
    },
  };
}

function keyOf(originText: string, mediaId: string): MediaKey {
  const origin = parseServerName(originText);
  if (origin !== undefined && isMediaId(mediaId)) return { origin, mediaId };
  throw new MatrixError('request.invalid-param', { message: 'These are not the parts of an mxc:// address.' });
}
