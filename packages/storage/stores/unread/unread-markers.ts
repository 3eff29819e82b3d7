import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/* Markers only ever move forward, whatever moves them and in which order. */
const forward = `on conflict (user_id, room_nid, thread_nid) do update set
     ordinal = case when excluded.ordinal > read_markers.ordinal then excluded.ordinal else read_markers.ordinal end,
     threads_order = case when excluded.threads_order > read_markers.threads_order then excluded.threads_order
                          else read_markers.threads_order end`;

const markOutsideThreads = sql<void, [userId: string, roomNid: number, ordinal: number]>(
  'read-markers.outside-threads',
  `insert into read_markers (user_id, room_nid, thread_nid, ordinal, threads_order) values ($1, $2, 0, $3, 0)
   on conflict (user_id, room_nid, thread_nid) do update set ordinal = excluded.ordinal
   where excluded.ordinal > read_markers.ordinal`,
);

const markThread = sql<void, [userId: string, roomNid: number, threadNid: number]>(
  'read-markers.whole-thread',
  `insert into read_markers (user_id, room_nid, thread_nid, ordinal, threads_order)
   select $1, t.room_nid, t.thread_nid, t.ordinal, 0 from threads t where t.room_nid = $2 and t.thread_nid = $3
   ${forward}`,
);

const markEverything = sql<void, [userId: string, roomNid: number, ordinal: number, position: PositionParam]>(
  'read-markers.everything',
  `insert into read_markers (user_id, room_nid, thread_nid, ordinal, threads_order)
   values ($1, $2, 0, $3, position($4) * 1048576)
   ${forward}`,
);

const markUpToEvent = sql<void, [userId: string, eventNid: number, withThreads: number]>(
  'read-markers.up-to-event',
  `insert into read_markers (user_id, room_nid, thread_nid, ordinal, threads_order)
   select $1, e.room_nid, 0, coalesce(
     case when e.thread_nid is null then e.ordinal
       else (select p.ordinal from events p where p.room_nid = e.room_nid and p.room_order < e.room_order
             and p.thread_nid is null order by p.room_order desc limit 1)
     end, 0), e.room_order * cast($3 as bigint)
   from events e where e.event_nid = $2 and e.room_order is not null
   ${forward}`,
);

const markThreadUpToEvent = sql<void, [userId: string, eventNid: number, threadNid: number]>(
  'read-markers.thread-up-to-event',
  `insert into read_markers (user_id, room_nid, thread_nid, ordinal, threads_order)
   select $1, e.room_nid, cast($3 as bigint), coalesce(
     (select p.ordinal from events p where p.thread_nid = cast($3 as bigint) and p.room_order <= e.room_order
      order by p.room_order desc limit 1), 0), 0
   from events e where e.event_nid = $2 and e.room_order is not null
   ${forward}`,
);

const forgetExceptions = sql<void, [userId: string, roomNid: number, upToOrder: number]>(
  'unread-exceptions.forget',
  'delete from unread_exceptions where user_id = $1 and room_nid = $2 and room_order <= $3',
);

const forgetThreadExceptions = sql<void, [userId: string, roomNid: number, threadNid: number, upToOrder: number]>(
  'unread-exceptions.forget-in-thread',
  `delete from unread_exceptions
   where user_id = $1 and room_nid = $2 and thread_nid = $3 and room_order <= $4`,
);

/** Somebody has read the room outside its threads up to an ordinal of it. */
export function markOwnSend(set: WriteSet, userId: string, roomNid: number, ordinal: number): void {
  set.add(markOutsideThreads, [userId, roomNid, ordinal]);
}

/** Somebody has read all there is in a thread. */
export function markOwnThreadSend(set: WriteSet, userId: string, roomNid: number, threadNid: number): void {
  set.add(markThread, [userId, roomNid, threadNid]);
}

/** Nothing before is unread for somebody who joins. `ordinal`: the room's, at this position. */
export function markJoin(
  set: WriteSet,
  userId: string,
  roomNid: number,
  ordinal: number,
  position: PositionParam,
): void {
  set.add(markEverything, [userId, roomNid, ordinal, position]);
}

/** How far a receipt reaches: `everywhere`, `main` for the room outside its threads, or one thread. */
export type ReceiptReach = 'everywhere' | 'main' | { readonly threadNid: number };

/** Somebody has read up to an event of the timeline. */
export function markRead(
  set: WriteSet,
  userId: string,
  event: { readonly eventNid: number; readonly roomNid: number; readonly roomOrder: number },
  reach: ReceiptReach,
): void {
  const { eventNid, roomNid, roomOrder } = event;
  if (reach === 'everywhere') {
    set.add(markUpToEvent, [userId, eventNid, 1]);
    set.add(forgetExceptions, [userId, roomNid, roomOrder]);
  } else if (reach === 'main') {
    set.add(markUpToEvent, [userId, eventNid, 0]);
    set.add(forgetThreadExceptions, [userId, roomNid, 0, roomOrder]);
  } else {
    set.add(markThreadUpToEvent, [userId, eventNid, reach.threadNid]);
    set.add(forgetThreadExceptions, [userId, roomNid, reach.threadNid, roomOrder]);
  }
}
