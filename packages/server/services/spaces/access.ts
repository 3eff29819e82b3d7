import type { Reader } from '@portico/storage';
import {
  readMembershipsIn,
  readRoomNids,
  readRoomsInviting,
  readRoomsOfHost,
} from '@portico/storage/stores/directory/room-summaries.ts';
import type { RoomSummary } from '../directory/room-summary.ts';

/** Which rooms one person, or somebody unknown, may learn of. */
export interface KnowableRooms {
  /** Those of some rooms that the person may know of, with their membership in each. */
  among(rooms: readonly RoomSummary[]): Promise<ReadonlyMap<number, string | undefined>>;
}

/** A room that another server describes. */
type RoomElsewhere = Pick<RoomSummary, 'roomId' | 'joinRule' | 'isKnockable' | 'worldReadable' | 'allowedRoomIds'>;

/** The same for rooms that this server is not in. */
export interface KnowableRoomsElsewhere {
  /** The IDs of those that the person may know of. What another server shows to this one is not for all of its people. */
  elsewhere(rooms: readonly RoomElsewhere[]): Promise<ReadonlySet<string>>;
}

/**
 * > The server should return any rooms where at least one of the following conditions is true: The requesting user is
 * > currently a member […] already has permission to join […] The room is "knockable" […] `history_visibility` is set to
 * > `world_readable`.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidhierarchy}
 */
export function knowableRooms(reader: Reader, userId: string | undefined): KnowableRooms & KnowableRoomsElsewhere {
  const memberships = async (nids: readonly number[]): Promise<ReadonlyMap<number, string>> =>
    userId === undefined ? new Map() : readMembershipsIn(reader, nids, userId);

  /** The rooms, of those that others' conditions name, that the person is in. */
  async function joinedConditions(rooms: readonly RoomElsewhere[]): Promise<ReadonlySet<string>> {
    const named = new Set(rooms.flatMap((room) => room.allowedRoomIds ?? []));
    if (named.size === 0 || userId === undefined) return new Set();
    const nids = await readRoomNids(reader, [...named]);
    const found = await memberships([...nids.values()]);
    return new Set([...named].filter((roomId) => found.get(nids.get(roomId) ?? -1) === 'join'));
  }

  return {
    async elsewhere(rooms) {
      const nids = await readRoomNids(
        reader,
        rooms.map((room) => room.roomId),
      );
      const own = await memberships([...nids.values()]);
      const membershipIn = (room: RoomElsewhere) => own.get(nids.get(room.roomId) ?? -1);
      const conditions = await joinedConditions(rooms.filter((room) => !isOpen(room)));
      const knowable = rooms.filter((room) => {
        const membership = membershipIn(room);
        const admits = room.allowedRoomIds?.some((roomId) => conditions.has(roomId)) === true;
        return membership !== 'ban' && (isOpen(room) || isMine(membership) || admits);
      });
      return new Set(knowable.map((room) => room.roomId));
    },
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

/** Which rooms a server may learn of: open ones, those that somebody of it is in or invited to, and those that let such people in. */
export function roomsKnowableToServer(reader: Reader, origin: string): KnowableRooms {
  return {
    async among(rooms) {
      const closed = rooms.filter((room) => !isOpen(room));
      const conditions = [...new Set(closed.flatMap((room) => room.allowedRoomIds ?? []))];
      const [joined, invited, admitting, nids] = await Promise.all([
        readRoomsOfHost(
          reader,
          closed.map((room) => room.roomId),
          origin,
        ),
        readRoomsInviting(
          reader,
          closed.map((room) => room.roomNid),
          origin,
        ),
        readRoomsOfHost(reader, conditions, origin),
        readRoomNids(reader, conditions),
      ]);
      const present = new Set([...joined, ...invited]);
      const admits = (roomId: string) => admitting.includes(nids.get(roomId) ?? -1);
      const knowable = rooms.filter(
        (room) => isOpen(room) || present.has(room.roomNid) || room.allowedRoomIds?.some(admits) === true,
      );
      return new Map(knowable.map((room) => [room.roomNid, undefined]));
    },
  };
}

/** Whether anybody may know of the room. */
function isOpen({ joinRule, isKnockable, worldReadable }: RoomElsewhere): boolean {
  return worldReadable || joinRule === 'public' || isKnockable;
}

function isMine(membership: string | undefined): boolean {
  return membership === 'join' || membership === 'invite';
}
