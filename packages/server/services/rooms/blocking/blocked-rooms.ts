import { isRoomId } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { removePublishedRoom } from '@portico/storage/stores/directory/room-directory-write.ts';
import { addBlocked, findBlocked, removeBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { beginShutdown, endShutdown, findShutdown } from '@portico/storage/stores/rooms/room-shutdowns.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RoomNames } from '../../reading/room-names.ts';
import { type Eviction, evictJob } from './evict-job.ts';

/** `failed` where somebody could not be taken out. */
export type ShutdownStatus = 'active' | 'complete' | 'failed';

/** What administrators do about rooms that are to have nothing to do with this server. */
export interface BlockedRooms {
  /** Who has blocked a room, if anybody. */
  blockedBy(roomId: string): Promise<string | undefined>;
  set(administrator: string, roomId: string, isBlocked: boolean): Promise<void>;
  /**
   * Takes the room from the directory and everybody of this server out of it, in the background; blocks it first, if asked to.
   * Throws `room.not-found` for one that is neither known here nor to be blocked.
   */
  shutDown(
    administrator: string,
    roomId: string,
    options: { readonly isBlocked: boolean; readonly reason: string | undefined },
  ): Promise<void>;
  /**
   * What became of the last time that somebody shut a room down. Throws `not-found` where nobody has, or where it ended more than a day
   * ago.
   */
  shutdownOf(roomId: string): Promise<ShutdownStatus>;
}

type Dependencies = { readonly db: Database; readonly roomNames: RoomNames; readonly now: () => number };

/** For how long one can ask how it went. */
const keptFor = 24 * 60 * 60_000;

export function createBlockedRooms({ db, roomNames, now }: Dependencies): BlockedRooms {
  async function commit(write: (set: WriteSet) => void): Promise<void> {
    const set = createWriteSet();
    write(set);
    await db.commit(set);
  }

  function checkRoomId(roomId: string): void {
    if (!isRoomId(roomId)) throw new MatrixError('request.invalid-param', { message: 'This is not a room ID.' });
  }

  return {
    async blockedBy(roomId) {
      checkRoomId(roomId);
      return (await findBlocked(db, roomId))?.blocked_by;
    },
    async set(administrator, roomId, isBlocked) {
      checkRoomId(roomId);
      await commit((set) => {
        if (isBlocked) addBlocked(set, roomId, administrator, now());
        else removeBlocked(set, roomId);
      });
    },
    async shutDown(administrator, roomId, { isBlocked, reason }) {
      checkRoomId(roomId);
      const askedAt = now();
      // Before anything else: nobody comes into a room that is not known here yet from then on.
      if (isBlocked) await commit((set) => addBlocked(set, roomId, administrator, askedAt));
      const roomNid = await roomNames.find(roomId);
      if (roomNid === undefined) {
        if (!isBlocked) throw new MatrixError('room.not-found');
        return commit((set) => {
          beginShutdown(set, roomId, askedAt, askedAt - keptFor);
          endShutdown(set, { roomId, askedAt }, askedAt, true);
        });
      }
      const eviction: Eviction = { roomNid, roomId, reason, askedAt };
      await commit((set) => {
        removePublishedRoom(set, eviction.roomNid);
        beginShutdown(set, roomId, askedAt, askedAt - keptFor);
        startAccountJob(set, administrator, `${evictJob} ${roomId}`, askedAt, JSON.stringify(eviction));
      });
    },
    async shutdownOf(roomId) {
      const shutdown = await findShutdown(db, roomId);
      if (shutdown === undefined) throw new MatrixError('not-found');
      const { ended_at: endedAt, is_complete: isComplete } = shutdown;
      if (endedAt === null) return 'active';
      if (endedAt <= now() - keptFor) throw new MatrixError('not-found');
      return isComplete === 1 ? 'complete' : 'failed';
    },
  };
}
