import { isRoomId } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findJobDetails, startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { removePublishedRoom } from '@portico/storage/stores/directory/room-directory-write.ts';
import { addBlocked, findBlocked, readLocals, removeBlocked } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RoomNames } from '../../reading/room-names.ts';
import { type Eviction, evictJob } from './evict-job.ts';

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
   * Whether a room that an administrator has shut down is empty by now. Throws `not-found` where somebody of this server is in the
   * room and nothing is under way: nobody began, or they could not be taken out.
   */
  isEmptied(administrator: string, roomId: string): Promise<boolean>;
}

type Dependencies = { readonly db: Database; readonly roomNames: RoomNames; readonly now: () => number };

const inside = ['join', 'invite', 'knock'];

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
      // Before anything else: nobody comes into a room that is not known here yet from then on.
      if (isBlocked) await commit((set) => addBlocked(set, roomId, administrator, now()));
      const roomNid = await roomNames.find(roomId);
      if (roomNid === undefined) {
        if (isBlocked) return;
        throw new MatrixError('room.not-found');
      }
      const eviction: Eviction = { roomNid, roomId, reason };
      await commit((set) => {
        removePublishedRoom(set, eviction.roomNid);
        startAccountJob(set, administrator, `${evictJob} ${roomId}`, now(), JSON.stringify(eviction));
      });
    },
    async isEmptied(administrator, roomId) {
      const roomNid = await roomNames.find(roomId);
      if (roomNid === undefined && (await findBlocked(db, roomId)) === undefined) throw new MatrixError('not-found');
      if ((await findJobDetails(db, administrator, `${evictJob} ${roomId}`)) !== undefined) return false;
      const left = roomNid === undefined ? [] : await readLocals(db, roomNid, inside, { after: '', limit: 1 });
      if (left.length > 0) throw new MatrixError('not-found');
      return true;
    },
  };
}
