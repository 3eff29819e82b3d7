import type { Reader } from '@portico/storage';
import { readMembershipsIn, readRoomNids } from '@portico/storage/stores/room-summaries.ts';
import type { RoomSummary } from '../directory/room-summary.ts';

/** Which rooms one person, or somebody unknown, may learn of. */
export interface KnowableRooms {
  /** Those of some rooms that the person may know of, with their membership in each. */
  among(rooms: readonly RoomSummary[]): Promise<ReadonlyMap<number, string | undefined>>;
}

/**
 * > The server should return any rooms where at least one of the following conditions is true: The requesting user is
 * > currently a member […] already has permission to join […] The room is "knockable" […] `history_visibility` is set to
 * > `world_readable`.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy}
 */
export function knowableRooms(reader: Reader, userId: string | undefined): KnowableRooms {
  const memberships = async (nids: readonly number[]): Promise<ReadonlyMap<number, string>> =>
    userId === undefined ? new Map() : readMembershipsIn(reader, nids, userId);

  /** The rooms, of those that others' conditions name, that the person is in. */
  async function joinedConditions(rooms: readonly RoomSummary[]): Promise<ReadonlySet<string>> {
    const named = new Set(rooms.flatMap((room) => room.allowedRoomIds ?? []));
    if (named.size === 0 || userId === undefined) return new Set();
    const nids = await readRoomNids(reader, [...named]);
    const found = await memberships([...nids.values()]);
    return new Set([...named].filter((roomId) => found.get(nids.get(roomId) ?? -1) === 'join'));
  }

  return {
    async among(rooms) {
      const own = await memberships(rooms.map((room) => room.roomNid));
      const unsure = rooms.filter((room) => !isOpen(room) && !isMine(own.get(room.roomNid)));
      const conditions = await joinedConditions(unsure);
      const knowable = new Map<number, string | undefined>();
      for (const room of rooms) {
        const membership = own.get(room.roomNid);
        if (membership === 'ban') continue;
        const admits = room.allowedRoomIds?.some((roomId) => conditions.has(roomId)) === true;
        if (isOpen(room) || isMine(membership) || admits) knowable.set(room.roomNid, membership);
      }
      return knowable;
    },
  };
}

/** Whether anybody may know of the room. */
function isOpen({ joinRule, worldReadable }: RoomSummary): boolean {
  return worldReadable || joinRule === 'public' || joinRule === 'knock' || joinRule === 'knock_restricted';
}

function isMine(membership: string | undefined): boolean {
  return membership === 'join' || membership === 'invite';
}
