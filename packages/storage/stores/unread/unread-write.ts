import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const upsertThread = sql<
  void,
  [roomNid: number, threadNid: number, counts: number, position: PositionParam, eventNid: number, isReply: number]
>(
  'threads.count',
  `insert into threads (room_nid, thread_nid, ordinal, unread_order, last_event_nid, last_order, reply_count)
   values ($1, $2, $3, position($4) * 1048576, $5, position($4) * 1048576, $6)
   on conflict (room_nid, thread_nid) do update set
     ordinal = threads.ordinal + excluded.ordinal,
     unread_order = case when excluded.ordinal = 1 then excluded.unread_order else threads.unread_order end,
     last_event_nid = case when excluded.reply_count = 1 then excluded.last_event_nid else threads.last_event_nid end,
     last_order = case when excluded.reply_count = 1 then excluded.last_order else threads.last_order end,
     reply_count = threads.reply_count + excluded.reply_count`,
);

const takeThreadOrdinal = sql<void, [eventNid: number, roomNid: number, threadNid: number]>(
  'events.thread-ordinal',
  `update events set ordinal = (select ordinal from threads where room_nid = $2 and thread_nid = $3)
   where event_nid = $1`,
);

const exceptionColumns = `(user_id, room_nid, thread_nid, ordinal, event_nid, room_order, notify, highlight,
     base_notify, base_highlight)`;
const exceptionValues = `e.room_nid, coalesce(e.thread_nid, 0), e.ordinal, e.event_nid, e.room_order,
     cast($3 as bigint), cast($4 as bigint), cast($5 as bigint), cast($6 as bigint)`;

type ExceptionParams = [
  userIds: string,
  eventNid: number,
  notify: number,
  highlight: number,
  baseNotify: number,
  baseHighlight: number,
];

const insertExceptions = sql<void, ExceptionParams>(
  'unread-exceptions.insert',
  `insert into unread_exceptions ${exceptionColumns}
   select u.value, ${exceptionValues}
   from events e cross join json_each(cast($1 as text)) u
   where e.event_nid = $2
   on conflict do nothing`,
);

const insertMemberExceptions = sql<void, ExceptionParams>(
  'unread-exceptions.insert-for-members',
  `insert into unread_exceptions ${exceptionColumns}
   select m.user_id, ${exceptionValues}
   from events e cross join json_each(cast($1 as text)) u cross join memberships m
   where e.event_nid = $2 and m.room_nid = e.room_nid and m.user_id = u.value and m.membership = 'join' and m.is_local = 1
   on conflict do nothing`,
);

const deleteOfEvent = sql<void, [eventNid: number]>(
  'unread-exceptions.delete-of-event',
  'delete from unread_exceptions where event_nid = $1',
);

/** An event `e` was counted for everyone if its ordinal is not that of the event before it in its thread. */
export const isCounted = `e.ordinal > coalesce(
     case when e.thread_nid is null
       then (select p.ordinal from events p where p.room_nid = e.room_nid and p.room_order < e.room_order
             and p.thread_nid is null order by p.room_order desc limit 1)
       else (select p.ordinal from events p where p.thread_nid = e.thread_nid and p.room_order < e.room_order
             order by p.room_order desc limit 1)
     end, 0)`;

const insertHole = sql<void, [eventNid: number]>(
  'unread-exceptions.hole',
  `insert into unread_exceptions ${exceptionColumns}
   select '', e.room_nid, coalesce(e.thread_nid, 0), e.ordinal, e.event_nid, e.room_order, 0, 0, 1, 0
   from events e
   where e.event_nid = $1 and e.room_order is not null and ${isCounted}
   on conflict do nothing`,
);

/** Counts an event in its thread and gives it the thread's ordinal. The event must be in the set already. */
export function countInThread(
  set: WriteSet,
  event: {
    readonly eventNid: number;
    readonly roomNid: number;
    readonly threadNid: number;
    readonly isReply: boolean;
    readonly counts: boolean;
  },
  position: PositionParam,
): void {
  const { eventNid, roomNid, threadNid, isReply, counts } = event;
  set.add(upsertThread, [roomNid, threadNid, counts ? 1 : 0, position, eventNid, isReply ? 1 : 0]);
  set.add(takeThreadOrdinal, [eventNid, roomNid, threadNid]);
}

/** Adds what an event is for some people. The event must be in the set already, with its ordinal. */
export function addUnreadExceptions(
  set: WriteSet,
  eventNid: number,
  exception: {
    /** '' for everyone without a row of their own. */
    readonly userIds: readonly string[];
    /** Leaves out who is not a joined member of this server. */
    readonly onlyMembers: boolean;
    readonly notify: number;
    readonly highlight: number;
    readonly baseNotify: number;
    readonly baseHighlight: number;
  },
): void {
  const { userIds, onlyMembers, notify, highlight, baseNotify, baseHighlight } = exception;
  set.add(onlyMembers ? insertMemberExceptions : insertExceptions, [
    JSON.stringify(userIds),
    eventNid,
    notify,
    highlight,
    baseNotify,
    baseHighlight,
  ]);
}

/** Takes a redacted event out of everyone's counts. */
export function uncountEvent(set: WriteSet, eventNid: number): void {
  set.add(deleteOfEvent, [eventNid]);
  set.add(insertHole, [eventNid]);
}
