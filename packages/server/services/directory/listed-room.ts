import { publicRoomsChunk, type RoomSummary } from './room-summary.ts';

/** A published room as the directory keeps it. */
export type ListedRoom = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly joinedMembers: number;
  readonly roomType: string | undefined;
  /** What searching looks at, folded. */
  readonly text: string;
  /** As clients get it. */
  readonly json: string;
};

/** How text is compared in searches: not by case, and not by how its letters are composed. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

export function listedRoom(summary: RoomSummary): ListedRoom {
  const { roomNid, roomId, joinedMembers, roomType, name = '', topic = '', canonicalAlias = '' } = summary;
  return {
    roomNid,
    roomId,
    joinedMembers,
    roomType,
    text: fold(`${name}\n${topic}\n${canonicalAlias}`),
    json: JSON.stringify(publicRoomsChunk(summary)),
  };
}

/** Where a room stands in the directory: the largest first, and those of the same size by ID. */
export type Place = { readonly joinedMembers: number; readonly roomId: string };

export function comparePlaces(a: Place, b: Place): number {
  if (a.joinedMembers !== b.joinedMembers) return b.joinedMembers - a.joinedMembers;
  return a.roomId < b.roomId ? -1 : a.roomId > b.roomId ? 1 : 0;
}

/** The index of the first room at a place or behind it. */
export function indexOfPlace(rooms: readonly ListedRoom[], place: Place): number {
  let low = 0;
  let high = rooms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const room = rooms[middle];
    if (room !== undefined && comparePlaces(room, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
