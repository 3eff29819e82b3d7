import type { RoomVersionRules } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { emptyState } from '@portico/storage/state-trie/index.ts';
import { addRoom } from '@portico/storage/stores/rooms/rooms.ts';
import { isGuardFailure } from '../../accounts/guards.ts';

type Dependencies = {
  readonly db: Database;
  /** The number of a room that this server has heard of. */
  readonly findRoomNid: (roomId: string) => Promise<number | undefined>;
};

/**
 * The number of a room of other servers. Of one that nobody here has heard of yet the name and version are stored, and no more:
 * people may be invited to it and join it at the same moment, and all that is stored of it has to be of one room.
 */
export async function makeKnown(
  { db, findRoomNid }: Dependencies,
  roomId: string,
  { version: roomVersion }: RoomVersionRules,
): Promise<number> {
  const known = await findRoomNid(roomId);
  if (known !== undefined) return known;
  const roomNid = await db.reserveIds('room', 1);
  const set = createWriteSet();
  const position = set.takePosition();
  const nothing = { extremities: [], stateRoot: emptyState.rootId, maxDepth: 0, lastEventNid: 0, ordinal: 0 };
  const nobody = { joinedCount: 0, invitedCount: 0, isActivity: false };
  addRoom(set, { ...nothing, ...nobody, roomNid, roomId, roomVersion, createEventNid: 0, version: 1 }, position);
  try {
    await db.commit(set);
    return roomNid;
  } catch (error) {
    const other = isGuardFailure(error, 'room.taken') ? await findRoomNid(roomId) : undefined;
    if (other === undefined) throw error;
    return other;
  }
}
