import { passesRooms, type RoomEventFilter } from '@portico/protocol/sync-filter/event-filter.ts';
import type { Reader } from '@portico/storage';
import {
  readLastEndsOfJoins,
  readRoomsOfUser,
  readSomeRoomsOfUser,
} from '@portico/storage/stores/rooms/memberships-read.ts';
import { findEncryptedRooms } from '@portico/storage/stores/search/search-read.ts';
import { endOfPosition } from '../reading/tokens.ts';
import type { RoomViewer } from '../reading/visibility.ts';

export type SearchedRoom = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly isJoined: boolean;
  readonly viewer: RoomViewer;
  readonly end: number;
};

/** Rooms that somebody is in, or was in and has not forgotten: as many as can be searched at once, the last joined first. */
const maxRooms = 1000;

export async function readSearchedRooms(
  reader: Reader,
  userId: string,
  filter: RoomEventFilter,
  /** Other rooms are not asked about. */
  among: readonly number[] | undefined,
): Promise<ReadonlyMap<number, SearchedRoom>> {
  const rows = (
    await (among === undefined ? readRoomsOfUser(reader, userId) : readSomeRoomsOfUser(reader, userId, among))
  )
    .filter((row) => passesRooms(filter, row.room_id) && row.forgotten === 0)
    .toSorted((a, b) => b.position - a.position);
  const hasLeft = rows.some((row) => row.membership !== 'join');
  const ends = hasLeft ? await readLastEndsOfJoins(reader, userId) : new Map<number, number>();
  const rooms = new Map<number, SearchedRoom>();
  for (const { room_nid: roomNid, room_id: roomId, membership, room_order: order } of rows) {
    const left = ends.get(roomNid);
    if (rooms.size >= maxRooms) break;
    if (membership === 'join') {
      const viewer = { userId, joinedSince: order, joinedUntil: Infinity };
      rooms.set(roomNid, { roomNid, roomId, isJoined: true, viewer, end: Infinity });
    } else if (left !== undefined) {
      const end = endOfPosition(left);
      const viewer = { userId, joinedSince: undefined, joinedUntil: end };
      rooms.set(roomNid, { roomNid, roomId, isJoined: false, viewer, end });
    }
  }
  for (const roomNid of await findEncryptedRooms(reader, [...rooms.keys()])) rooms.delete(roomNid);
  return rooms;
}
