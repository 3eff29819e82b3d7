import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { PusherKey } from './pushers.ts';
import { isCounted } from '../unread/unread-write.ts';

/* Whoever has no pusher any more has nothing to wait for. */
const stillHasPushers = (userId: string): string =>
  `exists (select 1 from pushers p where p.user_id = ${userId} and p.enabled = 1)`;

const insertEvent = sql<
  void,
  [userIds: string, position: PositionParam, eventNid: number, roomNid: number, actions: string]
>(
  'push-queue.event',
  `insert into push_queue (user_id, position, event_nid, room_nid, actions)
   select u.value, position($2), cast($3 as bigint), cast($4 as bigint), cast($5 as text)
   from json_each(cast($1 as text)) u where ${stillHasPushers('u.value')}
   on conflict do nothing`,
);

const insertInvite = sql<void, [userId: string, position: PositionParam, eventNid: number, roomNid: number]>(
  'push-queue.invite',
  `insert into push_queue (user_id, position, event_nid, room_nid, actions)
   select cast($1 as text), position($2), cast($3 as bigint), cast($4 as bigint), '' where ${stillHasPushers('$1')}
   on conflict do nothing`,
);

/* Where a number is shown, or is about to be: for everyone else there is nothing to correct. */
const showsNumber = (userId: string): string =>
  `exists (select 1 from pushers p where p.user_id = ${userId} and p.enabled = 1 and (p.badge > 0
     or exists (select 1 from push_queue q where q.user_id = p.user_id and q.position > p.position)))`;

const insertRead = sql<void, [userId: string, position: PositionParam]>(
  'push-queue.read',
  `insert into push_queue (user_id, position, event_nid, room_nid, actions)
   select cast($1 as text), position($2), 0, 0, '' where ${showsNumber('$1')}
   on conflict do nothing`,
);

/* Those with pushers in the room of an event that counts who have not read it. */
const notReadBy = `select c.user_id from events e join custom_rule_members c on c.room_nid = e.room_nid
   left join read_markers m on m.user_id = c.user_id and m.room_nid = e.room_nid and m.thread_nid = 0
   where e.event_nid = $1 and e.room_order is not null and ${showsNumber('c.user_id')}
     and (${isCounted} or exists (select 1 from unread_exceptions x where x.event_nid = e.event_nid and x.notify = 1))
     and case when e.thread_nid is null then e.ordinal > coalesce(m.ordinal, 0)
           else e.room_order > coalesce(m.threads_order, 0) end`;

/* Whoever looks at the count that waits may have counted already: what is new has to come after it, and still be one row. */
const moveRecounts = sql<void, [eventNid: number, position: PositionParam]>(
  'push-queue.move-recounts',
  `update push_queue set position = position($2)
   where event_nid = 0 and user_id in (${notReadBy})
     and position = (select max(w.position) from push_queue w where w.user_id = push_queue.user_id and w.event_nid = 0)`,
);

const insertRecounts = sql<void, [eventNid: number, position: PositionParam]>(
  'push-queue.recounts',
  `insert into push_queue (user_id, position, event_nid, room_nid, actions)
   select u.user_id, position($2), 0, 0, '' from (${notReadBy}) u where true
   on conflict do nothing`,
);

/** The change that says whom there is something for: a user, or `everyone` where they are many. */
export const pushChange = 'push';
export const everyone = '*';
/** The change that says which event counts for nobody any more: that can wait for more of the kind. */
export const recountChange = 'push_recount';
const mostNamed = 20;

/** Some people with pushers are to be told of an event. */
export function queuePushes(
  set: WriteSet,
  { eventNid, roomNid }: { readonly eventNid: number; readonly roomNid: number },
  { userIds, actions }: { readonly userIds: readonly string[]; readonly actions: readonly unknown[] },
  position: PositionParam,
): void {
  set.add(insertEvent, [JSON.stringify(userIds), position, eventNid, roomNid, JSON.stringify(actions)]);
  if (userIds.length > mostNamed) set.change(pushChange, everyone);
  else for (const userId of userIds) set.change(pushChange, userId);
}

/** Somebody is invited, and will be told if their rules say so then. */
export function queueInvite(
  set: WriteSet,
  invite: { readonly userId: string; readonly eventNid: number; readonly roomNid: number },
  position: PositionParam,
): void {
  set.add(insertInvite, [invite.userId, position, invite.eventNid, invite.roomNid]);
  set.change(pushChange, invite.userId);
}

/** Somebody who has pushers has read something: devices that show how much is unread may show too much. */
export function queueRead(set: WriteSet, userId: string, position: PositionParam): void {
  set.add(insertRead, [userId, position]);
  set.change(pushChange, userId);
}

/** An event that still counts is to be taken out of the counts: devices of those who have not read it show too much then. */
export function queueRecount(set: WriteSet, eventNid: number, position: PositionParam): void {
  set.add(moveRecounts, [eventNid, position]);
  set.add(insertRecounts, [eventNid, position]);
  set.change(recountChange, eventNid);
}

const selectRecounted = sql<{ user_id: string }, [eventNids: string]>(
  'push-queue.recounted',
  `select distinct q.user_id from json_each(cast($1 as text)) n
   join events e on e.event_nid = cast(n.value as bigint)
   join custom_rule_members c on c.room_nid = e.room_nid
   join push_queue q on q.user_id = c.user_id and q.event_nid = 0`,
);

/** For whom there is something since these events count no more. */
export async function readRecounted(reader: Reader, eventNids: Iterable<number>): Promise<string[]> {
  return (await reader.all(selectRecounted, [JSON.stringify([...eventNids])])).map((row) => row.user_id);
}

export type QueuedRow = {
  /** Up to where the pusher has got. */
  readonly reached: number;
  readonly position: number;
  /** 0: something was read, or counts no more. The fields below are null then, and where the event is gone. */
  readonly event_nid: number;
  readonly room_nid: number;
  /** As JSON text; '' where the rules are still to be asked. */
  readonly actions: string;
  readonly event_id: string | null;
  readonly room_id: string | null;
  readonly type: string | null;
  readonly state_key: string | null;
  readonly sender: string | null;
  readonly content: string | null;
  readonly redacted_by: number | null;
  readonly membership: string | null;
  readonly member_nid: number | null;
  readonly is_read: number;
};

const selectQueued = sql<QueuedRow, [userId: string, appId: string, pushkey: string, limit: number]>(
  'push-queue.next',
  `select u.position as reached, q.position, q.event_nid, q.room_nid, q.actions, e.event_id, r.room_id, e.type, e.state_key, e.sender, e.content,
     e.redacted_by, m.membership, m.event_nid as member_nid,
     case when e.thread_nid is null and e.ordinal <= main.ordinal then 1
       when e.thread_nid is not null and (e.room_order <= main.threads_order or e.ordinal <= thread.ordinal) then 1
       else 0 end as is_read
   from pushers u
   join push_queue q on q.user_id = u.user_id and q.position > u.position
   left join events e on e.event_nid = q.event_nid
   left join rooms r on r.room_nid = q.room_nid
   left join memberships m on m.room_nid = q.room_nid and m.user_id = q.user_id
   left join read_markers main on main.user_id = q.user_id and main.room_nid = q.room_nid and main.thread_nid = 0
   left join read_markers thread on thread.user_id = q.user_id and thread.room_nid = q.room_nid
     and thread.thread_nid = e.thread_nid
   where u.user_id = $1 and u.app_id = $2 and u.pushkey = $3 and u.enabled = 1
   order by q.position, q.event_nid limit $4`,
);

/** What a pusher has not dealt with yet, in order; nothing for one that is gone or off. */
export function readQueued(reader: Reader, key: PusherKey, limit: number): Promise<QueuedRow[]> {
  return reader.all(selectQueued, [key.userId, key.appId, key.pushkey, limit]);
}

const selectWaiting = sql<{ user_id: string }, [afterUser: string, limit: number]>(
  'push-queue.waiting',
  'select distinct user_id from push_queue where user_id > $1 order by user_id limit $2',
);

/** Those for whom there is something, by name. */
export async function readWaitingUsers(reader: Reader, afterUser: string, limit: number): Promise<string[]> {
  return (await reader.all(selectWaiting, [afterUser, limit])).map((row) => row.user_id);
}

const deleteSent = sql<void, [userId: string]>(
  'push-queue.delete-sent',
  `delete from push_queue where user_id = $1
     and position <= (select min(p.position) from pushers p where p.user_id = $1 and p.enabled = 1)`,
);

/** Drops what all of somebody's pushers have dealt with. */
export function dropSentPushes(set: WriteSet, userId: string): void {
  set.add(deleteSent, [userId]);
}

const deleteOldest = sql<void, [userId: string, keep: number]>(
  'push-queue.delete-oldest',
  `delete from push_queue where user_id = $1 and position < (
     select min(newest.position) from (
       select q.position from push_queue q where q.user_id = $1 order by q.position desc limit $2
     ) newest)`,
);

/** Of what waits for somebody whose devices cannot be reached, keeps the newest. */
export function trimPushQueue(set: WriteSet, userId: string, keep: number): void {
  set.add(deleteOldest, [userId, keep]);
}
