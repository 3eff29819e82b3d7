import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** An event for other servers. */
export type OutgoingRow = { readonly stream_position: number; readonly event_id: string; readonly pdu: string };
export type NewsRow = OutgoingRow & { readonly room_nid: number; readonly sender: string };

/** A server in a room, from which position on and, if it has left lately, up to which. */
export type RoomHostRow = {
  readonly room_nid: number;
  readonly host: string;
  readonly since_position: number;
  readonly left_position: number | null;
};

export type OutgoingReceiptRow = {
  readonly position: number;
  readonly room_id: string;
  readonly user_id: string;
  readonly thread_id: string;
  readonly event_id: string;
  readonly ts: number;
};

export type PositionRange = { readonly after: number; readonly upTo: number; readonly limit: number };

/* Whether a user ID is of a server: `like` would take the case of letters, which counts, for nothing. */
const isOf = (userId: string, host: string) =>
  `substr(${userId}, length(${userId}) - length(cast(${host} as text))) = ':' || cast(${host} as text)`;

/* This server's events, and those that it lets into a room and so has to bring to the others. */
const isOurs = (own: string) =>
  `(${isOf('e.sender', own)} or exists (select 1 from relayed_events x where x.event_id = e.event_id))`;

const between = (after: string, upTo: string) =>
  `e.room_order > cast(${after} as bigint) * 1048576 and e.room_order <= cast(${upTo} as bigint) * 1048576
     and e.stream_position > ${after} and e.stream_position <= ${upTo} and e.status = 0`;

const selectNews = sql<NewsRow, [roomNids: string, after: number, upTo: number, own: string, limit: number]>(
  'federation-outgoing.news',
  `select e.room_nid, e.stream_position, e.event_id, e.sender, e.before_content || e.content || e.after_content as pdu
   from events e
   where e.room_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and ${between('$2', '$3')}
     and ${isOurs('$4')}
   order by e.stream_position limit $5`,
);

const leftPosition = (after: string) =>
  `(select max(m.position) from membership_changes m
     where m.room_nid = h.room_nid and m.position > ${after} and m.previous = 'join' and m.membership <> 'join'
       and ${isOf('m.user_id', 'h.host')})`;

const selectRoomHosts = sql<RoomHostRow, [roomNids: string, after: number, own: string]>(
  'federation-outgoing.hosts',
  `select * from (
     select h.room_nid, h.host, h.joined, h.since_position,
       case when h.joined > 0 then null else ${leftPosition('$2')} end as left_position
     from joined_hosts h
     where h.room_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and h.host <> $3
   ) found where joined > 0 or left_position is not null`,
);

const selectOutgoing = sql<OutgoingRow, [host: string, after: number, upTo: number, own: string, limit: number]>(
  'federation-outgoing.events',
  `select e.stream_position, e.event_id, e.before_content || e.content || e.after_content as pdu
   from joined_hosts h
   join rooms r on r.room_nid = h.room_nid and r.last_position > $2
   join events e on e.room_nid = h.room_nid
   where h.host = $1 and ${between('$2', '$3')} and e.stream_position > h.since_position
     and ${isOurs('$4')} and not ${isOf('e.sender', '$1')}
     and (h.joined > 0 or e.stream_position <= ${leftPosition('$2')})
   union
   select e.stream_position, e.event_id, e.before_content || e.content || e.after_content as pdu
   from ended_requests q join events e on e.event_nid = q.event_nid
   where q.host = $1 and q.position > $2 and q.position <= $3 and e.status = 0 and e.stream_position is not null
     and ${isOurs('$4')}
   union
   select d.position as stream_position, e.event_id, e.before_content || e.content || e.after_content as pdu
   from sticky_deliveries d
   join joined_hosts h on h.room_nid = d.room_nid and h.host = d.host and h.joined > 0
   join events e on e.event_nid = d.event_nid and e.status = 0
   where d.host = $1 and d.position > $2 and d.position <= $3
   order by stream_position limit $5`,
);

const selectLastUnsent = sql<
  { stream_position: number },
  [roomId: string, host: string, after: number, own: string, limit: number]
>(
  'federation-outgoing.last-unsent',
  `select e.stream_position from (
     select n.room_nid, n.stream_position, n.event_id, n.sender
     from rooms r join events n on n.room_nid = r.room_nid
     where r.room_id = $1 and r.last_position > $3 and n.room_order > cast($3 as bigint) * 1048576
       and n.stream_position > $3 and n.status = 0
     order by n.room_order desc limit $5
   ) e join joined_hosts h on h.room_nid = e.room_nid and h.host = $2
   where e.stream_position > h.since_position and ${isOurs('$4')} and not ${isOf('e.sender', '$2')}
     and (h.joined > 0 or e.stream_position <= ${leftPosition('$3')})
   order by e.stream_position desc limit 1`,
);

/** Of a room with more events since a server was sent something, those before these are no matter. */
const mostLookedAt = 1000;

const selectEndedRequests = sql<
  { host: string; stream_position: number },
  [roomNids: string, after: number, upTo: number, own: string]
>(
  'federation-outgoing.ended-requests',
  `select q.host, e.stream_position from ended_requests q join events e on e.event_nid = q.event_nid
   where q.position > $2 and q.position <= $3 and e.stream_position is not null and q.host <> $4
     and e.room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

const receiptColumns = 'q.position, r.room_id, q.user_id, q.thread_id, q.event_id, q.ts';

const selectReceipts = sql<OutgoingReceiptRow, [host: string, after: number, upTo: number, own: string, limit: number]>(
  'federation-outgoing.receipts',
  `select ${receiptColumns} from joined_hosts h
   join receipts q on q.room_nid = h.room_nid and q.position > $2 and q.position <= $3
   join rooms r on r.room_nid = q.room_nid
   where h.host = $1 and h.joined > 0 and q.receipt_type = 'm.read' and ${isOf('q.user_id', '$4')}
   order by q.position limit $5`,
);

const selectReceiptsOfRooms = sql<
  OutgoingReceiptRow,
  [roomNids: string, host: string, after: number, upTo: number, own: string, limit: number]
>(
  'federation-outgoing.receipts-of-rooms',
  `select ${receiptColumns} from joined_hosts h
   join receipts q on q.room_nid = h.room_nid and q.position > $3 and q.position <= $4
   join rooms r on r.room_nid = q.room_nid
   where h.room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))
     and h.host = $2 and h.joined > 0 and q.receipt_type = 'm.read' and ${isOf('q.user_id', '$5')}
   order by q.position limit $6`,
);

const selectOtherHosts = sql<{ host: string }, [roomNid: number, own: string]>(
  'federation-outgoing.other-hosts',
  'select host from joined_hosts where room_nid = $1 and joined > 0 and host <> $2',
);

const selectBehind = sql<{ host: string }, [after: number]>(
  'federation-outgoing.behind',
  `select host from (
     select host from joined_hosts where room_nid in (
       select room_nid from rooms r where r.last_position > $1
         or exists (select 1 from receipts q where q.room_nid = r.room_nid and q.position > $1))
     union select host from ended_requests
     union select host from sticky_deliveries
     union select host from federation_destinations where failures > 0 or attempt is not null) b
   where not exists (select 1 from federation_destinations d where d.host = b.host and d.retry_at > 0)`,
);

/** Events of these rooms that other servers are to have, oldest first. */
export function readNews(
  reader: Reader,
  own: string,
  roomNids: readonly number[],
  { after, upTo, limit }: PositionRange,
): Promise<NewsRow[]> {
  return reader.all(selectNews, [JSON.stringify(roomNids), after, upTo, own, limit]);
}

/** The other servers in these rooms, and those that have left them after a position. */
export function readRoomHosts(
  reader: Reader,
  own: string,
  roomNids: readonly number[],
  after: number,
): Promise<RoomHostRow[]> {
  return reader.all(selectRoomHosts, [JSON.stringify(roomNids), after, own]);
}

/** Servers that are told what ended an invitation or a knock of their people, though they may not be in the room. */
export function readEndedRequests(
  reader: Reader,
  own: string,
  roomNids: readonly number[],
  { after, upTo }: Pick<PositionRange, 'after' | 'upTo'>,
): Promise<{ host: string; stream_position: number }[]> {
  return reader.all(selectEndedRequests, [JSON.stringify(roomNids), after, upTo, own]);
}

/**
 * The events that a server is to be sent, oldest first: those of the rooms that it is in, from when it came to when it went,
 * the event by which it went included; those that ended a request of its people; and this server's sticky events of rooms
 * that it has come into.
 */
export function readOutgoing(
  reader: Reader,
  own: string,
  host: string,
  { after, upTo, limit }: PositionRange,
): Promise<OutgoingRow[]> {
  return reader.all(selectOutgoing, [host, after, upTo, own, limit]);
}

/** Where the last event of a room is, of those lately, that a server is to be sent which has everything up to a position. */
export async function findLastUnsent(
  reader: Reader,
  own: string,
  host: string,
  roomId: string,
  after: number,
): Promise<number | undefined> {
  return (await reader.get(selectLastUnsent, [roomId, host, after, own, mostLookedAt]))?.stream_position;
}

/** Public receipts of this server's people in the rooms that a server is in, or in some of them. */
export function readOutgoingReceipts(
  reader: Reader,
  own: string,
  host: string,
  rooms: ReadonlySet<number> | 'all',
  { after, upTo, limit }: PositionRange,
): Promise<OutgoingReceiptRow[]> {
  if (rooms === 'all') return reader.all(selectReceipts, [host, after, upTo, own, limit]);
  return reader.all(selectReceiptsOfRooms, [JSON.stringify([...rooms]), host, after, upTo, own, limit]);
}

/** The other servers in a room. */
export async function readOtherHosts(reader: Reader, roomNid: number, own: string): Promise<readonly string[]> {
  return (await reader.all(selectOtherHosts, [roomNid, own])).map((row) => row.host);
}

/**
 * Servers that may lack something that was committed after a position, besides stored EDUs, and those that a transaction was
 * under way to. Not those that are to be asked again at some time.
 */
export async function readHostsBehind(reader: Reader, after: number): Promise<readonly string[]> {
  return (await reader.all(selectBehind, [after])).map((row) => row.host);
}
