import type { Reader } from '@portico/storage';
import { findCurrentState } from '@portico/storage/stores/rooms/current-state-read.ts';
import { findLastEndOfJoin, findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import { isJsonObject, parseJson } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomNames } from './room-names.ts';
import { endOfPosition } from './tokens.ts';
import type { RoomViewer } from './visibility.ts';

/** On what grounds somebody reads a room. */
export type RoomAccess = {
  readonly roomNid: number;
  readonly roomId: string;
  /** `peek`: they never were in it, and it is open to the world. */
  readonly as: 'joined' | 'departed' | 'peek';
  readonly viewer: RoomViewer;
  /** The place in the room's order behind which there is nothing for them. */
  readonly end: number;
};

export interface Access {
  /** Throws `forbidden` for who has no business there. */
  enter(userId: string, roomId: string): Promise<RoomAccess>;
  find(userId: string, roomId: string): Promise<RoomAccess | undefined>;
}

export function createAccess({ db, rooms }: { readonly db: Reader; readonly rooms: RoomNames }): Access {
  async function isOpenToTheWorld(roomNid: number): Promise<boolean> {
    const nid = await findCurrentState(db, roomNid, 'm.room.history_visibility', '');
    const [event] = nid === undefined ? [] : await readEvents(db, [nid]);
    const content = event && parseJson(event.content);
    return isJsonObject(content) && content['history_visibility'] === 'world_readable';
  }

  async function find(userId: string, roomId: string): Promise<RoomAccess | undefined> {
    const roomNid = await rooms.find(roomId);
    if (roomNid === undefined) return undefined;
    const row = await findMembership(db, roomNid, userId);
    if (row?.membership === 'join') {
      const viewer = { userId, joinedSince: row.room_order, joinedUntil: Infinity };
      return { roomNid, roomId, as: 'joined', viewer, end: Infinity };
    }
    // "If the user has left the room then the state is taken from the state of the room when they left": that is for
    // people who were in it, not for those who merely had an invite.
    const end = row === undefined || row.forgotten === 1 ? undefined : await findLastEndOfJoin(db, roomNid, userId);
    const isOpen = await isOpenToTheWorld(roomNid);
    if (end !== undefined) {
      const viewer = { userId, joinedSince: undefined, joinedUntil: endOfPosition(end) };
      return { roomNid, roomId, as: 'departed', viewer, end: isOpen ? Infinity : viewer.joinedUntil };
    }
    if (!isOpen) return undefined;
    const viewer = { userId, joinedSince: undefined, joinedUntil: -1 };
    return { roomNid, roomId, as: 'peek', viewer, end: Infinity };
  }

  return {
    find,
    async enter(userId, roomId) {
      const access = await find(userId, roomId);
      if (access === undefined) throw new MatrixError('forbidden', { message: 'You are not in this room.' });
      return access;
    },
  };
}
