import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type MembershipRow = {
  readonly room_nid: number;
  readonly user_id: string;
  readonly membership: string;
  readonly event_nid: number;
  readonly room_order: number;
  readonly position: number;
  readonly forgotten: number;
};

/** A room as the list of somebody's rooms has it. */
export type UserRoomRow = MembershipRow & {
  readonly room_id: string;
  /** Of the room's last event. */
  readonly last_position: number;
};

export type MembershipChangeRow = {
  readonly position: number;
  readonly event_nid: number;
  readonly room_nid: number;
  readonly membership: string;
  readonly previous: string;
};

export type RoomCountsRow = {
  readonly room_nid: number;
  readonly joined_count: number;
  readonly invited_count: number;
  /** When the room last had what counts as activity; 0 if that is not known. */
  readonly bump_position: number;
};

const columns = 'm.room_nid, m.user_id, m.membership, m.event_nid, m.room_order, m.position, m.forgotten';

const selectOne = sql<MembershipRow, [roomNid: number, userId: string]>(
  'memberships.one',
  `select ${columns} from memberships m where m.room_nid = $1 and m.user_id = $2`,
);

const selectRoomsOfUser = sql<UserRoomRow, [userId: string, afterPosition: number]>(
  'memberships.rooms-of-user',
  `select ${columns}, r.room_id, r.last_position from memberships m join rooms r on r.room_nid = m.room_nid
   where m.user_id = $1 and m.position > $2`,
);

const selectSomeRoomsOfUser = sql<UserRoomRow, [userId: string, roomNids: string]>(
  'memberships.some-rooms-of-user',
  `select ${columns}, r.room_id, r.last_position
   from (select distinct cast(value as bigint) as room_nid from json_each(cast($2 as text))) w
   cross join memberships m join rooms r on r.room_nid = m.room_nid
   where m.room_nid = w.room_nid and m.user_id = $1`,
);

const selectChangesOfUser = sql<MembershipChangeRow, [userId: string, afterPosition: number]>(
  'membership-changes.of-user',
  `select position, event_nid, room_nid, membership, previous from membership_changes
   where user_id = $1 and position > $2 order by position, event_nid`,
);

const selectLastEnd = sql<{ position: number | null }, [userId: string, roomNid: number]>(
  'membership-changes.last-end',
  `select max(position) as position from membership_changes
   where user_id = $1 and room_nid = $2 and previous = 'join' and membership <> 'join'`,
);

const selectLastEnds = sql<{ room_nid: number; position: number }, [userId: string]>(
  'membership-changes.last-ends',
  `select room_nid, max(position) as position from membership_changes
   where user_id = $1 and previous = 'join' and membership <> 'join' group by room_nid`,
);

// SQLite takes the tables of a `cross join` in this order; left to choose, it walks all memberships.
const selectChangeAfter = sql<{ position: number }, [roomNid: number, position: number]>(
  'membership-changes.any-after',
  'select position from membership_changes where room_nid = $1 and position > $2 order by position limit 1',
);

const selectFirstMembers = sql<MembershipRow, [roomNids: string, limit: number, one: string, other: string]>(
  'memberships.first-members',
  `with wanted as materialized (
     select cast(value as bigint) as room_nid from json_each(cast($1 as text))
   ), kinds as materialized (
     select w.room_nid, cast($3 as text) as membership, (
       select max(t.room_order) from (
         select room_order from memberships where room_nid = w.room_nid and membership = $3
         order by room_order limit $2
       ) t
     ) as last_order from wanted w
     union all
     select w.room_nid, cast($4 as text) as membership, (
       select max(t.room_order) from (
         select room_order from memberships where room_nid = w.room_nid and membership = $4
         order by room_order limit $2
       ) t
     ) as last_order from wanted w
   )
   select ${columns} from kinds k
   cross join memberships m
   where m.room_nid = k.room_nid and m.membership = k.membership and m.room_order <= k.last_order
   order by m.room_nid, m.room_order`,
);

const selectOfRoom = sql<
  { event_nid: number; room_order: number; user_id: string },
  [roomNid: number, afterOrder: number, afterUser: string, membership: string, limit: number]
>(
  'memberships.of-room',
  `select event_nid, room_order, user_id from memberships
   where room_nid = $1 and membership = $4 and (room_order, user_id) > ($2, $3) order by room_order, user_id limit $5`,
);

const selectCounts = sql<RoomCountsRow, [roomNids: string]>(
  'rooms.counts',
  `select room_nid, joined_count, invited_count, bump_position from rooms
   where room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

export function findMembership(reader: Reader, roomNid: number, userId: string): Promise<MembershipRow | undefined> {
  return reader.get(selectOne, [roomNid, userId]);
}

/** Every room that somebody has or had to do with, or those where that changed after a position. */
export function readRoomsOfUser(reader: Reader, userId: string, after = -1): Promise<UserRoomRow[]> {
  return reader.all(selectRoomsOfUser, [userId, after]);
}

/** What somebody has or had to do with some rooms. */
export async function readSomeRoomsOfUser(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
): Promise<UserRoomRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectSomeRoomsOfUser, [userId, JSON.stringify(roomNids)]);
}

/** In the order in which they happened. */
export function readMembershipChanges(reader: Reader, userId: string, after: number): Promise<MembershipChangeRow[]> {
  return reader.all(selectChangesOfUser, [userId, after]);
}

/** When somebody last ceased to be joined to a room. */
export async function findLastEndOfJoin(reader: Reader, roomNid: number, userId: string): Promise<number | undefined> {
  return (await reader.get(selectLastEnd, [userId, roomNid]))?.position ?? undefined;
}

/** When somebody last ceased to be joined, for each room where they ever did. */
export async function readLastEndsOfJoins(reader: Reader, userId: string): Promise<ReadonlyMap<number, number>> {
  const rows = await reader.all(selectLastEnds, [userId]);
  return new Map(rows.map((row) => [row.room_nid, row.position]));
}

/** Whether any membership of a room changed after a position. */
export async function haveMembershipsChanged(reader: Reader, roomNid: number, after: number): Promise<boolean> {
  return (await reader.get(selectChangeAfter, [roomNid, after])) !== undefined;
}

/** The longest-standing members of each room with either membership, at most `limit` of each kind. */
export async function readFirstMembers(
  reader: Reader,
  roomNids: readonly number[],
  [one, other]: readonly [one: string, other: string],
  limit: number,
): Promise<MembershipRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectFirstMembers, [JSON.stringify(roomNids), limit, one, other]);
}

const membersPerPage = 1000;

/** The membership events of a room whose membership is the given one, page by page. */
export async function* readMemberEvents(
  reader: Reader,
  roomNid: number,
  membership: string,
  perPage = membersPerPage,
): AsyncGenerator<readonly number[]> {
  // Those who were there when this server came in are all in one place.
  let after = { room_order: -1, user_id: '' };
  for (;;) {
    const rows = await reader.all(selectOfRoom, [roomNid, after.room_order, after.user_id, membership, perPage]);
    if (rows.length > 0) yield rows.map((row) => row.event_nid);
    const last = rows.at(-1);
    if (last === undefined || rows.length < perPage) return;
    after = last;
  }
}

export async function readRoomCounts(reader: Reader, roomNids: readonly number[]): Promise<RoomCountsRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectCounts, [JSON.stringify(roomNids)]);
}
