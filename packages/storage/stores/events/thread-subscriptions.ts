import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Somebody who never subscribed has no row; who unsubscribed has one that says when. */
export const subscriptionState = { none: 0, automatic: 1, manual: 2 } as const;
export type SubscriptionState = (typeof subscriptionState)[keyof typeof subscriptionState];

export type SubscriptionRow = {
  readonly state: SubscriptionState;
  /** When it became so. */
  readonly stream_position: number;
};

/** The change that says to which thread somebody has subscribed, or does no more. */
export const subscribersChange = 'thread_subscribers';

const selectSubscribers = sql<{ user_id: string }, [threadNid: number]>(
  'thread-subscriptions.of-thread',
  'select user_id from thread_subscriptions where thread_nid = $1 and state <> 0',
);

export async function readSubscribers(reader: Reader, threadNid: number): Promise<string[]> {
  return (await reader.all(selectSubscribers, [threadNid])).map((row) => row.user_id);
}

const selectSubscribed = sql<{ thread_nid: number }, [userId: string, threadNids: string]>(
  'thread-subscriptions.among',
  `select s.thread_nid from json_each(cast($2 as text)) t
   join thread_subscriptions s on s.user_id = $1 and s.thread_nid = cast(t.value as bigint)
   where s.state <> 0`,
);

/** Those of some threads that somebody has subscribed to. */
export async function readSubscribedAmong(
  reader: Reader,
  userId: string,
  threadNids: readonly number[],
): Promise<ReadonlySet<number>> {
  if (threadNids.length === 0) return new Set();
  const rows = await reader.all(selectSubscribed, [userId, JSON.stringify(threadNids)]);
  return new Set(rows.map((row) => row.thread_nid));
}

const selectOne = sql<SubscriptionRow, [userId: string, threadNid: number]>(
  'thread-subscriptions.get',
  'select state, stream_position from thread_subscriptions where user_id = $1 and thread_nid = $2',
);

export function findSubscription(
  reader: Reader,
  userId: string,
  threadNid: number,
): Promise<SubscriptionRow | undefined> {
  return reader.get(selectOne, [userId, threadNid]);
}

const countUpTo = sql<{ count: number }, [userId: string, limit: number]>(
  'thread-subscriptions.count',
  'select count(*) as count from (select 1 as one from thread_subscriptions where user_id = $1 limit $2) as counted',
);

/** How many threads there are of which something is kept for a user; counts no further than `limit`. */
export async function countSubscriptions(reader: Reader, userId: string, limit: number): Promise<number> {
  return (await reader.get(countUpTo, [userId, limit]))?.count ?? 0;
}

const upsertManual = sql<void, [userId: string, threadNid: number, position: PositionParam]>(
  'thread-subscriptions.subscribe',
  `insert into thread_subscriptions (user_id, thread_nid, state, stream_position) values ($1, $2, 2, position($3))
   on conflict (user_id, thread_nid) do update set state = 2, stream_position = excluded.stream_position`,
);

export function subscribe(set: WriteSet, userId: string, threadNid: number): void {
  set.add(upsertManual, [userId, threadNid, set.takePosition()]);
  set.change('thread_subscription', userId);
  set.change(subscribersChange, threadNid);
}

const upsertAutomatic = sql<void, [userId: string, threadNid: number, position: PositionParam, before: number]>(
  'thread-subscriptions.subscribe-automatically',
  `insert into thread_subscriptions (user_id, thread_nid, state, stream_position) values ($1, $2, 1, position($3))
   on conflict (user_id, thread_nid) do update set state = 1, stream_position = excluded.stream_position
     where thread_subscriptions.state = 0 and thread_subscriptions.stream_position < $4`,
);

/** Leaves what is subscribed already as it is, and what was unsubscribed no earlier than at `before`. */
export function subscribeAutomatically(set: WriteSet, userId: string, threadNid: number, before: number): void {
  set.add(upsertAutomatic, [userId, threadNid, set.takePosition(), before]);
  set.change('thread_subscription', userId);
  set.change(subscribersChange, threadNid);
}

const updateNone = sql<void, [userId: string, threadNid: number, position: PositionParam]>(
  'thread-subscriptions.unsubscribe',
  `update thread_subscriptions set state = 0, stream_position = position($3)
   where user_id = $1 and thread_nid = $2 and state <> 0`,
);

export function unsubscribe(set: WriteSet, userId: string, threadNid: number): void {
  set.add(updateNone, [userId, threadNid, set.takePosition()]);
  set.change('thread_subscription', userId);
  set.change(subscribersChange, threadNid);
}

export type SubscriptionChange = SubscriptionRow & { readonly room_id: string; readonly event_id: string };

const selectNewest = sql<SubscriptionChange, [userId: string, after: number, upTo: number, limit: number]>(
  'thread-subscriptions.newest',
  `with changed as materialized (
     select thread_nid, state, stream_position from thread_subscriptions
     where user_id = $1 and stream_position > $2 and stream_position <= $3
     order by stream_position desc limit $4
   )
   select r.room_id, e.event_id, c.state, c.stream_position
   from changed c join events e on e.event_nid = c.thread_nid join rooms r on r.room_nid = e.room_nid
   order by c.stream_position desc`,
);

/** What changed after one position up to another, the newest first. */
export function readNewestSubscriptions(
  reader: Reader,
  userId: string,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<SubscriptionChange[]> {
  return reader.all(selectNewest, [userId, range.after, range.upTo, range.limit]);
}

const selectCause = sql<{ thread_nid: number | null; position: number }, [eventNid: number]>(
  'thread-subscriptions.cause',
  'select thread_nid, coalesce(stream_position, 0) as position from events where event_nid = $1',
);

/** The thread that an event is in, and when it came; 0 for what was fetched from the past of the room. */
export function findCause(
  reader: Reader,
  eventNid: number,
): Promise<{ thread_nid: number | null; position: number } | undefined> {
  return reader.get(selectCause, [eventNid]);
}
