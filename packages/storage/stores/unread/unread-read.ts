import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type UnreadRoomRow = {
  readonly room_nid: number;
  readonly ordinal: number;
  readonly read_ordinal: number;
  /** Whether any thread, exception or mode may have to do with the counts. */
  readonly has_threads: number;
  readonly has_exceptions: number;
  readonly has_modes: number;
};

export type UnreadThreadRow = {
  readonly room_nid: number;
  readonly thread_nid: number;
  readonly root_id: string;
  readonly ordinal: number;
  readonly read_ordinal: number;
  /** The thread's ordinal where an unthreaded receipt has read all threads. */
  readonly passed_ordinal: number;
};

/** Sums over exceptions behind the marker. */
export type UnreadExceptionRow = {
  readonly room_nid: number;
  readonly thread_nid: number;
  readonly for_all: number;
  /** The start of the mode that they fall into, null for none. */
  readonly since_order: number | null;
  readonly notify: number;
  readonly highlight: number;
  readonly base_notify: number;
  readonly base_highlight: number;
};

export type UnreadModeRow = {
  readonly room_nid: number;
  readonly since_order: number;
  readonly ordinal: number;
  readonly mode: string;
};

export type ThreadModeRow = {
  readonly thread_nid: number;
  readonly since_order: number;
  readonly ordinal: number;
};

const ofRooms = (column: string): string =>
  `${column} in (select cast(value as bigint) from json_each(cast($2 as text)))`;

const selectRooms = sql<UnreadRoomRow, [userId: string, roomNids: string]>(
  'unread.rooms',
  `select r.room_nid, r.ordinal, m.ordinal as read_ordinal,
     case when exists (select 1 from threads t where t.room_nid = m.room_nid and t.unread_order > m.threads_order)
       then 1 else 0 end as has_threads,
     case when exists (select 1 from unread_exceptions x where x.user_id = $1 and x.room_nid = m.room_nid
                       and x.thread_nid = 0 and x.ordinal > m.ordinal)
         or exists (select 1 from unread_exceptions x where x.user_id = '' and x.room_nid = m.room_nid
                    and x.thread_nid = 0 and x.ordinal > m.ordinal)
       then 1 else 0 end as has_exceptions,
     case when exists (select 1 from unread_modes s where s.user_id = $1 and s.room_nid = m.room_nid)
       then 1 else 0 end as has_modes
   from read_markers m join rooms r on r.room_nid = m.room_nid
   where m.user_id = $1 and m.thread_nid = 0 and ${ofRooms('m.room_nid')}`,
);

const selectThreads = sql<UnreadThreadRow, [userId: string, roomNids: string]>(
  'unread.threads',
  `select t.room_nid, t.thread_nid, root.event_id as root_id, t.ordinal, coalesce(own.ordinal, 0) as read_ordinal,
     coalesce((select e.ordinal from events e where e.thread_nid = t.thread_nid and e.room_order <= m.threads_order
               order by e.room_order desc limit 1), 0) as passed_ordinal
   from read_markers m
   join threads t on t.room_nid = m.room_nid and t.unread_order > m.threads_order
   left join read_markers own on own.user_id = $1 and own.room_nid = t.room_nid and own.thread_nid = t.thread_nid
   join events root on root.event_nid = t.thread_nid
   where m.user_id = $1 and m.thread_nid = 0 and ${ofRooms('m.room_nid')} and t.ordinal > coalesce(own.ordinal, 0)`,
);

const sums = ['notify', 'highlight', 'base_notify', 'base_highlight']
  .map((column) => `cast(sum(${column}) as bigint) as ${column}`)
  .join(', ');
const exceptionFields = `x.room_nid, x.thread_nid, case when x.user_id = '' then 1 else 0 end as for_all,
       (select max(s.since_order) from unread_modes s
        where s.user_id = $1 and s.room_nid = x.room_nid and s.since_order < x.room_order) as since_order,
       x.notify, x.highlight, x.base_notify, x.base_highlight`;

const selectExceptions = sql<UnreadExceptionRow, [userId: string, roomNids: string]>(
  'unread.exceptions',
  `select room_nid, thread_nid, for_all, since_order, ${sums}
   from (
     select ${exceptionFields}
     from read_markers m join unread_exceptions x on x.room_nid = m.room_nid and x.thread_nid = 0
       and x.ordinal > m.ordinal and x.user_id in ($1, '')
     where m.user_id = $1 and m.thread_nid = 0 and ${ofRooms('m.room_nid')}
   ) counted
   group by room_nid, thread_nid, for_all, since_order`,
);

const selectThreadExceptions = sql<UnreadExceptionRow, [userId: string, roomNids: string]>(
  'unread.thread-exceptions',
  `select room_nid, thread_nid, for_all, since_order, ${sums}
   from (
     select ${exceptionFields}
     from read_markers m
     join unread_exceptions x on x.room_nid = m.room_nid and x.thread_nid > 0 and x.room_order > m.threads_order
       and x.user_id in ($1, '')
     left join read_markers own on own.user_id = $1 and own.room_nid = x.room_nid and own.thread_nid = x.thread_nid
     where m.user_id = $1 and m.thread_nid = 0 and ${ofRooms('m.room_nid')} and x.ordinal > coalesce(own.ordinal, 0)
   ) counted
   group by room_nid, thread_nid, for_all, since_order`,
);

const selectModes = sql<UnreadModeRow, [userId: string, roomNids: string]>(
  'unread.modes',
  `select room_nid, since_order, ordinal, mode from unread_modes
   where user_id = $1 and ${ofRooms('room_nid')} order by room_nid, since_order`,
);

const selectThreadModes = sql<ThreadModeRow, [userId: string, roomNids: string]>(
  'unread.thread-modes',
  `select t.thread_nid, s.since_order,
     coalesce((select e.ordinal from events e where e.thread_nid = t.thread_nid and e.room_order <= s.since_order
               order by e.room_order desc limit 1), 0) as ordinal
   from read_markers m
   join threads t on t.room_nid = m.room_nid and t.unread_order > m.threads_order
   join unread_modes s on s.user_id = $1 and s.room_nid = m.room_nid
   where m.user_id = $1 and m.thread_nid = 0 and ${ofRooms('m.room_nid')}
   order by t.thread_nid, s.since_order`,
);

/** Rooms without a marker, which nobody who joined them lacks, have no row. */
export function readUnreadRooms(reader: Reader, userId: string, roomNids: readonly number[]): Promise<UnreadRoomRow[]> {
  return reader.all(selectRooms, [userId, JSON.stringify(roomNids)]);
}

export type UnreadDetails = {
  readonly threads: readonly UnreadThreadRow[];
  readonly exceptions: readonly UnreadExceptionRow[];
  readonly modes: readonly UnreadModeRow[];
  readonly threadModes: readonly ThreadModeRow[];
};

/** What the counts of rooms depend on besides their own ordinals and markers. */
export async function readUnreadDetails(
  reader: Reader,
  userId: string,
  rooms: readonly UnreadRoomRow[],
): Promise<UnreadDetails> {
  const having = (isWanted: (room: UnreadRoomRow) => boolean): string =>
    JSON.stringify(rooms.filter(isWanted).map((room) => room.room_nid));
  const withThreads = having((room) => room.has_threads === 1);
  const withExceptions = having((room) => room.has_exceptions === 1);
  const withModes = having((room) => room.has_modes === 1);
  const withThreadModes = having((room) => room.has_modes === 1 && room.has_threads === 1);
  const none = '[]';
  const [threads, inRooms, inThreads, modes, threadModes] = await Promise.all([
    withThreads === none ? [] : reader.all(selectThreads, [userId, withThreads]),
    withExceptions === none ? [] : reader.all(selectExceptions, [userId, withExceptions]),
    withThreads === none ? [] : reader.all(selectThreadExceptions, [userId, withThreads]),
    withModes === none ? [] : reader.all(selectModes, [userId, withModes]),
    withThreadModes === none ? [] : reader.all(selectThreadModes, [userId, withThreadModes]),
  ]);
  return { threads, exceptions: [...inRooms, ...inThreads], modes, threadModes };
}
