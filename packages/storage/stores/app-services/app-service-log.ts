import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';
import { eventStatus } from '../events/event-row.ts';

/** As much of an event as tells whom it interests. */
export type LogEvent = {
  readonly position: number;
  readonly event_nid: number;
  readonly room_nid: number;
  readonly room_id: string;
  readonly type: string;
  readonly state_key: string | null;
  readonly sender: string;
  /** Characters of its content. */
  readonly size: number;
};

export type LogMove = {
  readonly position: number;
  readonly room_nid: number;
  readonly user_id: string;
  readonly membership: string;
};

export type Range = { readonly after: number; readonly upTo: number };

const selectEvents = sql<LogEvent, [after: number, upTo: number, limit: number]>(
  'log.events',
  `select e.stream_position as position, e.event_nid, e.room_nid, r.room_id, e.type, e.state_key, e.sender,
     length(e.content) as size
   from events e join rooms r on r.room_nid = e.room_nid
   where e.stream_position > $1 and e.stream_position <= $2 and e.status = 0
   order by e.stream_position limit $3`,
);

const selectOutside = sql<LogEvent, [after: number, upTo: number, serverName: string]>(
  'log.outside-events',
  `select c.position, e.event_nid, e.room_nid, r.room_id, e.type, e.state_key, e.sender, length(e.content) as size
   from membership_changes c join events e on e.event_nid = c.event_nid join rooms r on r.room_nid = e.room_nid
   where c.position > $1 and c.position <= $2 and c.membership <> 'join' and c.user_id like '%:' || cast($3 as text)
     and e.status = ${eventStatus.outlier}
   order by c.position`,
);

const selectMoves = sql<LogMove, [after: number, upTo: number, serverName: string]>(
  'log.moves',
  `select position, room_nid, user_id, membership from membership_changes
   where position > $1 and position <= $2 and user_id like '%:' || cast($3 as text)
   order by position, event_nid`,
);

const selectAliases = sql<{ room_nid: number; alias: string }, [roomNids: string]>(
  'log.aliases',
  `select a.room_nid, a.alias from json_each(cast($1 as text)) r
   cross join room_aliases a where a.room_nid = cast(r.value as bigint)`,
);

const selectStripped = sql<{ event_nid: number; events: string }, [pairs: string]>(
  'log.stripped-states',
  `select s.event_nid, s.events from json_each(cast($1 as text)) p
   cross join stripped_states s
   where s.room_nid = cast(p.value ->> 0 as bigint) and s.user_id = p.value ->> 1`,
);

/** Events in the order in which they were committed. */
export function readLog(reader: Reader, { after, upTo }: Range, limit: number): Promise<LogEvent[]> {
  return reader.all(selectEvents, [after, upTo, limit]);
}

/** What this server's users became to rooms that it is not in: invited, knocking, or no longer either. */
export function readOutside(reader: Reader, { after, upTo }: Range, serverName: string): Promise<LogEvent[]> {
  return reader.all(selectOutside, [after, upTo, serverName]);
}

/** Changes of memberships of this server's users. */
export function readLogMoves(reader: Reader, { after, upTo }: Range, serverName: string): Promise<LogMove[]> {
  return reader.all(selectMoves, [after, upTo, serverName]);
}

export async function readAliasesOf(
  reader: Reader,
  roomNids: readonly number[],
): Promise<readonly { readonly room_nid: number; readonly alias: string }[]> {
  return roomNids.length === 0 ? [] : reader.all(selectAliases, [JSON.stringify(roomNids)]);
}

/** What people were shown of the rooms that they are invited to or knock at, by the number of the member event. */
export async function readStrippedOf(
  reader: Reader,
  people: readonly (readonly [roomNid: number, userId: string])[],
): Promise<ReadonlyMap<number, string>> {
  if (people.length === 0) return new Map();
  const rows = await reader.all(selectStripped, [JSON.stringify(people)]);
  return new Map(rows.map((row) => [row.event_nid, row.events]));
}
