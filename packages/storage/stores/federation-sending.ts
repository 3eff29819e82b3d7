import type { Reader, WriteSet } from '../database.ts';
import { sql } from '../sql.ts';

export type DestinationRow = {
  readonly host: string;
  readonly position: number;
  readonly failures: number;
  readonly retry_at: number;
};

export type OutgoingRow = { readonly stream_position: number; readonly event_id: string; readonly pdu: string };

const selectDestination = sql<DestinationRow, [host: string]>(
  'federation-destinations.get',
  'select host, position, failures, retry_at from federation_destinations where host = $1',
);

const upsertDestination = sql<void, [host: string, position: number, failures: number, retryAt: number]>(
  'federation-destinations.set',
  `insert into federation_destinations (host, position, failures, retry_at) values ($1, $2, $3, $4)
   on conflict (host) do update set position = excluded.position, failures = excluded.failures,
     retry_at = excluded.retry_at`,
);

/*
 * What a server is to be sent: this server's events, and those it relays, of the rooms that the other server is in, from
 * when it came to when it went; the event by which it went included.
 */
const selectOutgoing = sql<OutgoingRow, [host: string, after: number, upTo: number, own: string, limit: number]>(
  'federation-destinations.outgoing',
  `select e.stream_position, e.event_id, e.before_content || e.content || e.after_content as pdu
   from joined_hosts h
   join rooms r on r.room_nid = h.room_nid and r.last_position > $2
   join events e on e.room_nid = h.room_nid and e.room_order > cast($2 as bigint) * 1048576
   where h.host = $1 and e.stream_position > $2 and e.stream_position <= $3 and e.status = 0
     and e.stream_position > h.since_position
     and (e.sender like '%:' || cast($4 as text)
       or exists (select 1 from relayed_events x where x.event_id = e.event_id))
     and e.sender not like '%:' || cast($1 as text)
     and (h.joined > 0 or e.stream_position <= (
       select max(m.position) from membership_changes m
       where m.room_nid = h.room_nid and m.previous = 'join' and m.membership <> 'join'
         and m.user_id like '%:' || cast($1 as text)))
   union
   select e.stream_position, e.event_id, e.before_content || e.content || e.after_content as pdu
   from ended_requests q join events e on e.event_nid = q.event_nid
   where q.host = $1 and q.position > $2 and q.position <= $3 and e.status = 0 and e.stream_position is not null
     and e.sender like '%:' || cast($4 as text)
   order by stream_position limit $5`,
);

const deleteEndedRequests = sql<void, [host: string, upTo: number]>(
  'ended-requests.delete',
  'delete from ended_requests where host = $1 and position <= $2',
);

/* Servers in these rooms, and those that have left them since a position. */
const selectHostsOfRooms = sql<{ host: string }, [roomNids: string, since: number]>(
  'federation-destinations.of-rooms',
  `select distinct h.host from joined_hosts h
   where h.room_nid in (select cast(value as bigint) from json_each(cast($1 as text)))
     and (h.joined > 0 or exists (select 1 from membership_changes m
       where m.room_nid = h.room_nid and m.position >= $2 and m.previous = 'join' and m.membership <> 'join'
         and m.user_id like '%:' || h.host))
   union all
   select q.host from ended_requests q
   where q.position >= $2 and exists (select 1 from events e where e.event_nid = q.event_nid
     and e.room_nid in (select cast(value as bigint) from json_each(cast($1 as text))))`,
);

const selectOtherHosts = sql<{ host: string }, [roomNid: number, own: string]>(
  'federation-destinations.of-room',
  'select host from joined_hosts where room_nid = $1 and joined > 0 and host <> $2',
);

const selectBehind = sql<{ host: string }>(
  'federation-destinations.behind',
  `select distinct h.host from joined_hosts h
   join rooms r on r.room_nid = h.room_nid
   left join federation_destinations d on d.host = h.host
   where r.last_position > coalesce(d.position, 0)
   union select host from stored_edu_hosts
   union
   select host from ended_requests`,
);

const insertRelayed = sql<void, [eventId: string, at: number]>(
  'relayed-events.insert',
  'insert into relayed_events (event_id, relayed_at) values ($1, $2) on conflict do nothing',
);

export function findDestination(reader: Reader, host: string): Promise<DestinationRow | undefined> {
  return reader.get(selectDestination, [host]);
}

export function setDestination(set: WriteSet, { host, position, failures, retry_at }: DestinationRow): void {
  set.add(upsertDestination, [host, position, failures, retry_at]);
  set.add(deleteEndedRequests, [host, position]);
}

/** The next events for a server, oldest first. */
export function readOutgoing(
  reader: Reader,
  own: string,
  host: string,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<OutgoingRow[]> {
  return reader.all(selectOutgoing, [host, range.after, range.upTo, own, range.limit]);
}

export async function readHostsOfRooms(
  reader: Reader,
  roomNids: readonly number[],
  since: number,
): Promise<readonly string[]> {
  const rows = await reader.all(selectHostsOfRooms, [JSON.stringify(roomNids), since]);
  return [...new Set(rows.map((row) => row.host))];
}

/** The other servers in a room. */
export async function readOtherHosts(reader: Reader, roomNid: number, own: string): Promise<readonly string[]> {
  return (await reader.all(selectOtherHosts, [roomNid, own])).map((row) => row.host);
}

/** Servers that may have something to be sent. */
export async function readHostsBehind(reader: Reader): Promise<readonly string[]> {
  return (await reader.all(selectBehind, [])).map((row) => row.host);
}

/** Has an event of another server brought to all the others, once it is in its room. */
export function addRelayed(set: WriteSet, eventId: string, at: number): void {
  set.add(insertRelayed, [eventId, at]);
}
