import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Rows of older versions have no server. */
export type ExtremityRow = readonly [eventId: string, stateAfter: number, server?: string];

/** The head of a room, as its row has it. `extremities` is a JSON array of `ExtremityRow`. */
export type RoomRow = {
  readonly room_nid: number;
  readonly room_id: string;
  readonly room_version: string;
  readonly create_event_nid: number;
  readonly head_version: number;
  readonly extremities: string;
  readonly state_root: number;
  readonly max_depth: number;
  readonly last_event_nid: number;
  readonly last_position: number;
  readonly ordinal: number;
  readonly joined_count: number;
  readonly invited_count: number;
};

const columns = `room_nid, room_id, room_version, create_event_nid, head_version, extremities, state_root,
  max_depth, last_event_nid, last_position, ordinal, joined_count, invited_count`;

const selectRoom = sql<RoomRow, [roomNid: number]>('rooms.get', `select ${columns} from rooms where room_nid = $1`);

const selectRoomNid = sql<{ room_nid: number }, [roomId: string]>(
  'rooms.nid',
  'select room_nid from rooms where room_id = $1',
);

const insertRoom = sql<
  void,
  [
    roomNid: number,
    roomId: string,
    roomVersion: string,
    createEventNid: number,
    headVersion: number,
    extremities: string,
    stateRoot: number,
    maxDepth: number,
    lastEventNid: number,
    position: PositionParam,
    ordinal: number,
    joinedCount: number,
    invitedCount: number,
    isActivity: number,
  ]
>(
  'rooms.insert',
  `insert into rooms (${columns}, bump_position)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, position($10), $11, $12, $13,
     case when $14 = 1 then position($10) else 0 end)
   on conflict do nothing`,
);

const moveHead = sql<
  void,
  [
    roomNid: number,
    expectedVersion: number,
    expectedLastEventNid: number,
    headVersion: number,
    extremities: string,
    stateRoot: number,
    maxDepth: number,
    lastEventNid: number,
    position: PositionParam,
    ordinal: number,
    joinedCount: number,
    invitedCount: number,
    isActivity: number,
  ]
>(
  'rooms.move-head',
  `update rooms set head_version = $4, extremities = $5, state_root = $6, max_depth = $7, last_event_nid = $8,
     last_position = position($9), ordinal = $10, joined_count = $11, invited_count = $12,
     bump_position = case when $13 = 1 then position($9) else bump_position end
   where room_nid = $1 and head_version = $2 and last_event_nid = $3`,
);

/** What a decision changes in a room's head. */
export type RoomHeadFields = {
  readonly extremities: readonly ExtremityRow[];
  readonly stateRoot: number;
  readonly maxDepth: number;
  readonly lastEventNid: number;
  readonly ordinal: number;
  readonly joinedCount: number;
  readonly invitedCount: number;
  /** Whether any of the events is activity by which clients put the room on top of others. */
  readonly isActivity: boolean;
};

export function findRoom(reader: Reader, roomNid: number): Promise<RoomRow | undefined> {
  return reader.get(selectRoom, [roomNid]);
}

const selectRoomOfEvent = sql<{ room_id: string }, [eventId: string]>(
  'rooms.of-event',
  'select r.room_id from events e join rooms r on r.room_nid = e.room_nid where e.event_id = $1',
);

/** The room that an event belongs to. */
export async function findRoomIdOfEvent(reader: Reader, eventId: string): Promise<string | undefined> {
  return (await reader.get(selectRoomOfEvent, [eventId]))?.room_id;
}

export async function findRoomNid(reader: Reader, roomId: string): Promise<number | undefined> {
  return (await reader.get(selectRoomNid, [roomId]))?.room_nid;
}

/** Adds a room. Fails on the guard `room.taken` if its ID is in use. */
export function addRoom(
  set: WriteSet,
  room: RoomHeadFields & {
    readonly roomNid: number;
    readonly roomId: string;
    readonly roomVersion: string;
    readonly createEventNid: number;
    readonly version: number;
  },
  position: PositionParam,
): void {
  set.guard('room.taken', 1, insertRoom, [
    room.roomNid,
    room.roomId,
    room.roomVersion,
    room.createEventNid,
    room.version,
    JSON.stringify(room.extremities),
    room.stateRoot,
    room.maxDepth,
    room.lastEventNid,
    position,
    room.ordinal,
    room.joinedCount,
    room.invitedCount,
    room.isActivity ? 1 : 0,
  ]);
}

/** Which head of a room: two processes may both have decided on a version, but each of them names its own last event. */
export type HeadIdentity = { readonly version: number; readonly lastEventNid: number };

/** Moves a room's head on. Fails on the guard `room.head` if another decision was committed first. */
export function moveRoomHead(
  set: WriteSet,
  room: RoomHeadFields & { readonly roomNid: number; readonly version: number },
  expected: HeadIdentity,
  position: PositionParam,
): void {
  set.guard('room.head', 1, moveHead, [
    room.roomNid,
    expected.version,
    expected.lastEventNid,
    room.version,
    JSON.stringify(room.extremities),
    room.stateRoot,
    room.maxDepth,
    room.lastEventNid,
    position,
    room.ordinal,
    room.joinedCount,
    room.invitedCount,
    room.isActivity ? 1 : 0,
  ]);
}

const updateCreateEvent = sql<void, [roomNid: number, createEventNid: number, roomVersion: string]>(
  'rooms.set-create-event',
  'update rooms set create_event_nid = $2, room_version = $3 where room_nid = $1',
);

/** A room of which so far only an invitation was known gets its create event, and the version that this one says. */
export function setCreateEvent(
  set: WriteSet,
  roomNid: number,
  create: { readonly eventNid: number; readonly roomVersion: string },
): void {
  set.add(updateCreateEvent, [roomNid, create.eventNid, create.roomVersion]);
}
