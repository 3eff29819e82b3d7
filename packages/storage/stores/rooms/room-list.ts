import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ListedRoomRow = {
  readonly room_nid: number;
  readonly room_id: string;
  readonly room_version: string;
  readonly joined_count: number;
};

const columns = 'room_nid, room_id, room_version, joined_count';
type PageParams = [roomNid: number, limit: number];

const selectAfter = sql<ListedRoomRow, PageParams>(
  'room-list.after',
  `select ${columns} from rooms where room_nid > $1 order by room_nid limit $2`,
);
const selectBefore = sql<ListedRoomRow, PageParams>(
  'room-list.before',
  `select ${columns} from rooms where room_nid < $1 order by room_nid desc limit $2`,
);
const selectLargest = sql<ListedRoomRow, [limit: number]>(
  'room-list.largest',
  `select ${columns} from rooms order by joined_count desc, room_nid limit $1`,
);
const selectSmallest = sql<ListedRoomRow, [limit: number]>(
  'room-list.smallest',
  `select ${columns} from rooms order by joined_count, room_nid desc limit $1`,
);
const selectOne = sql<ListedRoomRow, [roomId: string]>(
  'room-list.one',
  `select ${columns} from rooms where room_id = $1`,
);
const countSome = sql<{ rooms: number }, [most: number]>(
  'room-list.count',
  'select count(*) as rooms from (select 1 as one from rooms limit $1) counted',
);

/** Rooms that the server knows, in the order in which it came to know them, or the other way round. */
export function listRooms(
  reader: Reader,
  page: { readonly after: number | undefined; readonly isDescending: boolean; readonly limit: number },
): Promise<ListedRoomRow[]> {
  const { after, isDescending, limit } = page;
  return isDescending
    ? reader.all(selectBefore, [after ?? Number.MAX_SAFE_INTEGER, limit])
    : reader.all(selectAfter, [after ?? -1, limit]);
}

/** The rooms in which most are, or fewest. */
export function listRoomsBySize(reader: Reader, smallestFirst: boolean, limit: number): Promise<ListedRoomRow[]> {
  return reader.all(smallestFirst ? selectSmallest : selectLargest, [limit]);
}

export function findListedRoom(reader: Reader, roomId: string): Promise<ListedRoomRow | undefined> {
  return reader.get(selectOne, [roomId]);
}

/** Counts so many and no further. */
export async function countRooms(reader: Reader, most: number): Promise<number> {
  return (await reader.get(countSome, [most]))?.rooms ?? 0;
}

export type RoomFiguresRow = {
  readonly room_nid: number;
  readonly creator: string | null;
  readonly joined_local: number;
  /** A thousand at most. */
  readonly state_events: number;
};

const selectFigures = sql<RoomFiguresRow, [roomNids: string, host: string]>(
  'room-list.figures',
  `select r.room_nid, e.sender as creator, coalesce(h.joined, 0) as joined_local,
     (select count(*) from (select 1 as one from current_state c where c.room_nid = r.room_nid limit 1000) s)
       as state_events
   from json_each(cast($1 as text)) w join rooms r on r.room_nid = cast(w.value as bigint)
   left join events e on e.event_nid = r.create_event_nid
   left join joined_hosts h on h.room_nid = r.room_nid and h.host = $2`,
);

/** In no particular order. `host` is this server. */
export function readRoomFigures(reader: Reader, roomNids: readonly number[], host: string): Promise<RoomFiguresRow[]> {
  return reader.all(selectFigures, [JSON.stringify(roomNids), host]);
}

const inRooms = 'in (select cast(value as bigint) from json_each(cast($1 as text)))';

const selectJoinedHere = sql<{ room_nid: number; joined: number }, [roomNids: string, host: string]>(
  'room-list.joined-here',
  `select room_nid, joined from joined_hosts where room_nid ${inRooms} and host = $2`,
);

/** How many of a server are in each of some rooms, where there are any. */
export async function readJoinedHere(
  reader: Reader,
  roomNids: readonly number[],
  host: string,
): Promise<ReadonlyMap<number, number>> {
  const rows = await reader.all(selectJoinedHere, [JSON.stringify(roomNids), host]);
  return new Map(rows.map((row) => [row.room_nid, row.joined]));
}

const selectCreators = sql<{ room_nid: number; sender: string }, [roomNids: string]>(
  'room-list.creators',
  `select r.room_nid, e.sender from rooms r join events e on e.event_nid = r.create_event_nid
   where r.room_nid ${inRooms}`,
);

export async function readCreators(reader: Reader, roomNids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const rows = await reader.all(selectCreators, [JSON.stringify(roomNids)]);
  return new Map(rows.map((row) => [row.room_nid, row.sender]));
}

const selectMembers = sql<{ user_id: string }, [roomNid: number, afterUser: string, limit: number, offset: number]>(
  'room-list.members',
  `select user_id from memberships where room_nid = $1 and user_id > $2 and membership = 'join'
   order by user_id limit $3 offset $4`,
);

/** Members by user ID, after one of them and so many more. */
export async function listJoined(
  reader: Reader,
  roomNid: number,
  page: { readonly after: string; readonly offset: number; readonly limit: number },
): Promise<string[]> {
  const rows = await reader.all(selectMembers, [roomNid, page.after, page.limit, page.offset]);
  return rows.map((row) => row.user_id);
}
