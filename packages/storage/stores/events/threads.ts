import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

export type ThreadRow = { readonly thread_nid: number; readonly last_order: number };

const selectThreads = sql<ThreadRow, [roomNid: number, upTo: number, limit: number]>(
  'threads.newest',
  `select thread_nid, last_order from threads
   where room_nid = $1 and last_order <= $2 and reply_count > 0 order by last_order desc limit $3`,
);

const selectThreadsOf = sql<ThreadRow, [roomNid: number, upTo: number, limit: number, userId: string]>(
  'threads.newest-of-participant',
  `select t.thread_nid, t.last_order from threads t cross join events e
   where t.room_nid = $1 and t.last_order <= $2 and t.reply_count > 0 and e.event_nid = t.thread_nid
     and (e.sender = $4 or exists (
       select 1 from relations r
       where r.room_nid = $1 and r.target_id = e.event_id and r.rel_type = 'm.thread' and r.sender = $4
     ))
   order by t.last_order desc limit $3`,
);

/** Threads of a room, the one that was last written in first; those of one participant only if one is given. */
export function readThreads(
  reader: Reader,
  roomNid: number,
  upTo: number,
  limit: number,
  participant: string | undefined,
): Promise<ThreadRow[]> {
  const page: [number, number, number] = [roomNid, Math.min(upTo, Number.MAX_SAFE_INTEGER), limit];
  return participant === undefined
    ? reader.all(selectThreads, page)
    : reader.all(selectThreadsOf, [...page, participant]);
}
