import { isMediaId, parseServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import type { MediaKey } from '@portico/storage/stores/media/media.ts';
import { listMediaOf, type UserMediaRow } from '@portico/storage/stores/media/media-of-user.ts';
import { readRoomNids } from '@portico/storage/stores/directory/room-summaries.ts';
import { readEventsNamingMedia } from '@portico/storage/stores/media/media-of-room.ts';
import { quarantine, release, setProtected } from '@portico/storage/stores/media/quarantined-media.ts';
import { readLongestUnread } from '@portico/storage/stores/media/remote-media.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ContentStore } from './content-store.ts';
import { mediaInEvent } from './media-in-event.ts';
import { removeFiles } from './remove-media.ts';

/** What administrators do about files. */
export interface Quarantine {
  /** Nobody is given the file any more, nor is it fetched from elsewhere. A protected one stays as it is. */
  add(administrator: string, origin: string, mediaId: string): Promise<void>;
  lift(origin: string, mediaId: string): Promise<void>;
  /** All that somebody of this server has uploaded until now and that is not protected; answers how many are new. */
  addAllOf(administrator: string, userId: string): Promise<number>;
  /**
   * What the newest events of a room are about, in rooms whose events can be read; answers how many are new. Throws
   * `room.not-found`.
   */
  addAllIn(administrator: string, roomId: string): Promise<number>;
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
/** Events of a room, with one request. */
const mostExamined = 20_000;
const examinedAtOnce = 1000;

export function createQuarantine({ db, store, serverName, now }: Dependencies): Quarantine {
  /** Answers how many of them are new. */
  async function addSome(by: string, origin: string, mediaIds: readonly string[]): Promise<number> {
    const set = createWriteSet();
    quarantine(set, { origin, mediaIds }, by, now());
    const { returned } = await db.commit(set);
    return returned[0]?.length ?? 0;
  }

  return {
    async add(administrator, origin, mediaId) {
      const key = keyOf(origin, mediaId);
      await addSome(administrator, key.origin, [key.mediaId]);
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
        for (const [origin, rows] of Map.groupBy(media, (row) => row.origin)) {
          const mediaIds = rows.map((row) => row.media_id);
          added += await addSome(administrator, origin, mediaIds);
        }
        after = media.at(-1);
        if (media.length < atOnce) return added;
      }
    },
    async addAllIn(administrator, roomId) {
      const roomNid = (await readRoomNids(db, [roomId])).get(roomId);
      if (roomNid === undefined) throw new MatrixError('room.not-found');
      let added = 0;
      let before = Number.MAX_SAFE_INTEGER;
      for (let examined = 0; examined < mostExamined; examined += examinedAtOnce) {
        const rows = await readEventsNamingMedia(db.long, roomNid, { before, limit: examinedAtOnce });
        const media = rows.flatMap(({ content }) => (content === '' ? [] : mediaInEvent(content)));
        for (const [origin, some] of Map.groupBy(media, (key) => key.origin)) {
          const mediaIds = [...new Set(some.map(({ mediaId }) => mediaId))];
          added += await addSome(administrator, origin, mediaIds);
        }
        before = rows.at(-1)?.room_order ?? before;
        if (rows.length < examinedAtOnce) break;
      }
      return added;
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
