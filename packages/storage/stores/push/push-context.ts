import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectUnreadRooms = sql<{ room_nid: number }, [userId: string]>(
  'push-context.unread-rooms',
  `select k.room_nid from memberships k
   join read_markers m on m.user_id = k.user_id and m.room_nid = k.room_nid and m.thread_nid = 0
   join rooms r on r.room_nid = k.room_nid
   where k.user_id = $1 and k.membership = 'join' and (r.ordinal > m.ordinal
     or exists (select 1 from threads t where t.room_nid = m.room_nid and t.unread_order > m.threads_order))`,
);

/** The rooms in which there may be something that somebody has not read. */
export async function readRoomsWithUnread(reader: Reader, userId: string): Promise<number[]> {
  return (await reader.all(selectUnreadRooms, [userId])).map((row) => row.room_nid);
}

export type NamingRow = { readonly type: string; readonly content: string };

const selectNames = sql<NamingRow, [roomNid: number, sender: string]>(
  'push-context.names',
  `select e.type, e.content from current_state s join events e on e.event_nid = s.event_nid
   where s.room_nid = $1 and s.type in ('m.room.name', 'm.room.canonical_alias') and s.state_key = ''
   union all
   select e.type, e.content from current_state s join events e on e.event_nid = s.event_nid
   where s.room_nid = $1 and s.type = 'm.room.member' and s.state_key = $2`,
);

/** What a room and one of its members are called now. */
export function readNames(reader: Reader, roomNid: number, sender: string): Promise<NamingRow[]> {
  return reader.all(selectNames, [roomNid, sender]);
}

const selectShown = sql<{ events: string }, [roomNid: number, userId: string]>(
  'push-context.shown-state',
  'select events from stripped_states where room_nid = $1 and user_id = $2',
);

/** What somebody who is invited gets to see of the room, as a JSON array. */
export async function readShownState(reader: Reader, roomNid: number, userId: string): Promise<string | undefined> {
  return (await reader.get(selectShown, [roomNid, userId]))?.events;
}

const selectMissedCalls = sql<{ calls: number }, [userId: string, roomNids: string, before: number]>(
  'push-context.missed-calls',
  `select count(*) as calls from json_each(cast($2 as text)) u
   join events e on e.room_nid = cast(u.value as bigint) and e.type = 'm.call.invite' and e.room_order is not null
   join read_markers m on m.user_id = $1 and m.room_nid = e.room_nid and m.thread_nid = 0
   where e.thread_nid is null and e.ordinal > m.ordinal and e.sender <> $1 and e.redacted_by is null
     and e.origin_server_ts < $3`,
);

/**
 * Calls of some rooms that somebody has not seen, of those that began before a moment (milliseconds). Whoever answers one
 * has thereby read it.
 */
export async function countMissedCalls(
  reader: Reader,
  userId: string,
  roomNids: readonly number[],
  before: number,
): Promise<number> {
  if (roomNids.length === 0) return 0;
  return (await reader.get(selectMissedCalls, [userId, JSON.stringify(roomNids), before]))?.calls ?? 0;
}
