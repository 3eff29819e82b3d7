import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A room as another server may ask about it. */
export type FederatedRoomRow = {
  readonly room_nid: number;
  readonly room_id: string;
  readonly room_version: string;
  readonly create_event_nid: number;
  /** How many joined members the server that asks has, and how many this one has. */
  readonly origin_joined: number;
  readonly own_joined: number;
  /** 1 where any server is in it. */
  readonly has_members: number;
  readonly acl: string | null;
};

const selectRoom = sql<FederatedRoomRow, [roomId: string, origin: string, own: string]>(
  'federation-rooms.get',
  `select r.room_nid, r.room_id, r.room_version, r.create_event_nid,
     coalesce((select joined from joined_hosts where room_nid = r.room_nid and host = $2), 0) as origin_joined,
     coalesce((select joined from joined_hosts where room_nid = r.room_nid and host = $3), 0) as own_joined,
     case when exists (select 1 from joined_hosts where room_nid = r.room_nid and joined > 0) then 1 else 0 end as has_members,
     (select e.content from current_state c join events e on e.event_nid = c.event_nid
      where c.room_nid = r.room_nid and c.type = 'm.room.server_acl' and c.state_key = '') as acl
   from rooms r where r.room_id = $1`,
);

export type MemberEventRow = {
  readonly room_version: string;
  readonly membership: string;
  readonly sender: string;
  readonly event_id: string;
  readonly depth: number;
  /** A JSON array of the servers through which the room was reached; null if that was never needed. */
  readonly servers: string | null;
};

const selectMember = sql<MemberEventRow, [roomId: string, userId: string]>(
  'federation-rooms.member',
  `select r.room_version, m.membership, e.sender, e.event_id, e.depth, s.servers
   from rooms r join memberships m on m.room_nid = r.room_nid join events e on e.event_nid = m.event_nid
   left join stripped_states s on s.room_nid = m.room_nid and s.user_id = m.user_id and s.event_nid = m.event_nid
   where r.room_id = $1 and m.user_id = $2`,
);

const countInvites = sql<{ pending: number }, [userId: string, most: number]>(
  'federation-rooms.pending-invites',
  `select count(*) as pending from (
     select 1 from memberships where user_id = $1 and membership = 'invite' limit $2
   ) pending_invites`,
);

/** How many invitations somebody has not answered; of very many, `most`. */
export async function countPendingInvites(reader: Reader, userId: string, most: number): Promise<number> {
  return (await reader.get(countInvites, [userId, most]))?.pending ?? 0;
}

const selectHosts = sql<{ host: string }, [roomNid: number, limit: number]>(
  'federation-rooms.hosts',
  'select host from joined_hosts where room_nid = $1 and joined > 0 order by joined desc, host limit $2',
);

export type StoredPduRow = {
  readonly event_nid: number;
  readonly event_id: string;
  readonly room_nid: number;
  readonly status: number;
  readonly depth: number;
  readonly room_order: number | null;
  readonly state_before: number | null;
  readonly state_after: number | null;
  readonly state_key: string | null;
  readonly type: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  /** Until when it is sticky; null if it is not. */
  readonly sticky_until: number | null;
  readonly pdu: string;
};

const selectPdus = sql<StoredPduRow, [eventIds: string]>(
  'federation-rooms.pdus',
  `select event_nid, event_id, room_nid, status, depth, room_order, state_before, state_after, state_key, type, sender,
     origin_server_ts, sticky_until, before_content || content || after_content as pdu
   from events where event_id in (select value from json_each(cast($1 as text)))`,
);

const selectPdusByNid = sql<StoredPduRow, [nids: string]>(
  'federation-rooms.pdus-by-nid',
  `select event_nid, event_id, room_nid, status, depth, room_order, state_before, state_after, state_key, type, sender,
     origin_server_ts, sticky_until, before_content || content || after_content as pdu
   from events where event_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

const selectPdusUpTo = sql<StoredPduRow, [roomNid: number, upTo: number, limit: number]>(
  'federation-rooms.pdus-up-to',
  `select event_nid, event_id, room_nid, status, depth, room_order, state_before, state_after, state_key, type, sender,
     origin_server_ts, sticky_until, before_content || content || after_content as pdu
   from events where room_nid = $1 and room_order <= $2 order by room_order desc limit $3`,
);

export function findFederatedRoom(
  reader: Reader,
  roomId: string,
  origin: string,
  own: string,
): Promise<FederatedRoomRow | undefined> {
  return reader.get(selectRoom, [roomId, origin, own]);
}

/** What somebody is to a room, with the event that says so. */
export function findMemberEvent(reader: Reader, roomId: string, userId: string): Promise<MemberEventRow | undefined> {
  return reader.get(selectMember, [roomId, userId]);
}

const selectHostsBefore = sql<{ host: string }, [roomNid: number, host: string]>(
  'federation-rooms.hosts-before',
  'select host from joined_hosts where room_nid = $1 and joined > case when host = $2 then 1 else 0 end',
);

/** Servers that were in a room before somebody of one of them joined. */
export async function readHostsBefore(reader: Reader, roomNid: number, ofJoined: string): Promise<string[]> {
  return (await reader.all(selectHostsBefore, [roomNid, ofJoined])).map((row) => row.host);
}

/** Servers in a room, those with the most members first. */
export async function readHosts(reader: Reader, roomNid: number, limit: number): Promise<string[]> {
  return (await reader.all(selectHosts, [roomNid, limit])).map((row) => row.host);
}

/** Events as they travel between servers, in no particular order. */
export async function readPdusById(reader: Reader, eventIds: readonly string[]): Promise<StoredPduRow[]> {
  return eventIds.length === 0 ? [] : reader.all(selectPdus, [JSON.stringify(eventIds)]);
}

/** The same by number. */
export async function readPdusByNid(reader: Reader, nids: readonly number[]): Promise<StoredPduRow[]> {
  return nids.length === 0 ? [] : reader.all(selectPdusByNid, [JSON.stringify(nids)]);
}

/** The last events of a room's timeline up to a place, newest first. */
export function readPdusUpTo(reader: Reader, roomNid: number, upTo: number, limit: number): Promise<StoredPduRow[]> {
  return reader.all(selectPdusUpTo, [roomNid, upTo, limit]);
}

/* 1048576 is ORDER_PER_POSITION. */
const selectArrival = sql<{ depth: number }, [roomNid: number, own: string]>(
  'federation-rooms.arrival',
  `select e.depth from joined_hosts h
   join events e on e.room_nid = h.room_nid and e.room_order = h.since_position * 1048576
   where h.room_nid = $1 and h.host = $2`,
);

/** The depth of the event by which this server last came into a room. */
export async function findDepthOfArrival(reader: Reader, roomNid: number, own: string): Promise<number | undefined> {
  return (await reader.get(selectArrival, [roomNid, own]))?.depth;
}

const selectJoinedHost = sql<{ joined: number }, [roomNid: number, host: string]>(
  'federation-rooms.host',
  'select joined from joined_hosts where room_nid = $1 and host = $2',
);

export async function isHostJoined(reader: Reader, roomNid: number, host: string): Promise<boolean> {
  return ((await reader.get(selectJoinedHost, [roomNid, host]))?.joined ?? 0) > 0;
}
