import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type RoomFactsRow = {
  readonly room_nid: number;
  readonly room_id: string;
  readonly room_version: string;
  readonly joined_count: number;
};

export type SummaryStateRow = { readonly room_nid: number; readonly type: string; readonly content: string };

export type SpaceChildRow = {
  readonly room_nid: number;
  readonly state_key: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  readonly content: string;
};

const inRooms = 'in (select cast(value as bigint) from json_each(cast($1 as text)))';

const selectFacts = sql<RoomFactsRow, [roomNids: string]>(
  'room-summaries.facts',
  `select room_nid, room_id, room_version, joined_count from rooms where room_nid ${inRooms}`,
);

const selectNids = sql<{ room_nid: number; room_id: string }, [roomIds: string]>(
  'room-summaries.nids',
  `select room_nid, room_id from rooms where room_id in (select value from json_each(cast($1 as text)))`,
);

const selectNidsOfHost = sql<{ room_nid: number }, [roomIds: string, host: string]>(
  'room-summaries.nids-of-host',
  `select r.room_nid from rooms r join joined_hosts h on h.room_nid = r.room_nid
   where r.room_id in (select value from json_each(cast($1 as text))) and h.host = $2 and h.joined > 0`,
);

const selectState = sql<SummaryStateRow, [roomNids: string, types: string]>(
  'room-summaries.state',
  `select c.room_nid, c.type, e.content
   from json_each(cast($1 as text)) w cross join json_each(cast($2 as text)) t cross join current_state c
   join events e on e.event_nid = c.event_nid
   where c.room_nid = cast(w.value as bigint) and c.type = t.value and c.state_key = ''`,
);

const selectChildren = sql<SpaceChildRow, [roomNids: string, limit: number]>(
  'room-summaries.space-children',
  `select c.room_nid, c.state_key, e.sender, e.origin_server_ts, e.content
   from current_state c join events e on e.event_nid = c.event_nid
   where c.room_nid ${inRooms} and c.type = 'm.space.child' and e.content <> '{}' limit $2`,
);

const selectMemberships = sql<{ room_nid: number; membership: string }, [roomNids: string, userId: string]>(
  'room-summaries.memberships',
  `select room_nid, membership from memberships where room_nid ${inRooms} and user_id = $2`,
);

/** The kind of change that says that a room's summary is another one now; its key is the room's number. */
export const summaryChange = 'room-summary';

/** Types of state events, with an empty state key, of which a room's summary is made. */
export const summaryStateTypes = [
  'm.room.create',
  'm.room.name',
  'm.room.topic',
  'm.room.avatar',
  'm.room.canonical_alias',
  'm.room.join_rules',
  'm.room.history_visibility',
  'm.room.guest_access',
  'm.room.encryption',
] as const;

const announced: ReadonlySet<string> = new Set<string>([...summaryStateTypes, 'm.space.child']);

/** To be called for every change of a room's state. */
export function announceSummary(set: WriteSet, roomNid: number, type: string): void {
  if (announced.has(type)) set.change(summaryChange, roomNid);
}

/** In no particular order, as are all of these. */
export async function readRoomFacts(reader: Reader, roomNids: readonly number[]): Promise<RoomFactsRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectFacts, [JSON.stringify(roomNids)]);
}

export async function readSummaryState(reader: Reader, roomNids: readonly number[]): Promise<SummaryStateRow[]> {
  return readStateContents(reader, roomNids, summaryStateTypes);
}

/** The contents of state events of some types that have an empty state key. */
export async function readStateContents(
  reader: Reader,
  roomNids: readonly number[],
  types: readonly string[],
): Promise<SummaryStateRow[]> {
  if (roomNids.length === 0) return [];
  return reader.all(selectState, [JSON.stringify(roomNids), JSON.stringify(types)]);
}

/** The children of spaces, at most `limit` of them in all. */
export async function readSpaceChildren(
  reader: Reader,
  roomNids: readonly number[],
  limit: number,
): Promise<SpaceChildRow[]> {
  return roomNids.length === 0 ? [] : reader.all(selectChildren, [JSON.stringify(roomNids), limit]);
}

/** Storage's numbers of those of some rooms that this server knows. */
export async function readRoomNids(reader: Reader, roomIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (roomIds.length === 0) return new Map();
  const rows = await reader.all(selectNids, [JSON.stringify(roomIds)]);
  return new Map(rows.map((row) => [row.room_id, row.room_nid]));
}

/** Those of some rooms that a server is in. */
export async function readRoomsOfHost(reader: Reader, roomIds: readonly string[], host: string): Promise<number[]> {
  if (roomIds.length === 0) return [];
  return (await reader.all(selectNidsOfHost, [JSON.stringify(roomIds), host])).map((row) => row.room_nid);
}

/** One person's membership in each of some rooms, where they ever had one. */
export async function readMembershipsIn(
  reader: Reader,
  roomNids: readonly number[],
  userId: string,
): Promise<ReadonlyMap<number, string>> {
  if (roomNids.length === 0) return new Map();
  const rows = await reader.all(selectMemberships, [JSON.stringify(roomNids), userId]);
  return new Map(rows.map((row) => [row.room_nid, row.membership]));
}

const selectInvitedRooms = sql<{ room_nid: number }, [roomNids: string, suffix: string]>(
  'room-summaries.invited-of-host',
  `select distinct room_nid from memberships
   where room_nid ${inRooms} and membership = 'invite' and substr(user_id, length(user_id) - length($2) + 1) = $2`,
);

/** Those of some rooms to which somebody of a server is invited. */
export async function readRoomsInviting(reader: Reader, roomNids: readonly number[], host: string): Promise<number[]> {
  if (roomNids.length === 0) return [];
  return (await reader.all(selectInvitedRooms, [JSON.stringify(roomNids), `:${host}`])).map((row) => row.room_nid);
}
