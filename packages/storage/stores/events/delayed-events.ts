import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type DelayedEventRow = {
  readonly delay_id: string;
  readonly user_id: string;
  readonly device_id: string;
  readonly room_id: string;
  readonly type: string;
  /** Null for a message event. */
  readonly state_key: string | null;
  /** As JSON text. */
  readonly content: string;
  readonly delay: number;
  readonly running_since: number;
  readonly due_at: number;
  readonly position: number;
  /** What the event is to say of its time, where an application service says so. Milliseconds. */
  readonly origin_server_ts: number | null;
  /** For how many milliseconds it is to be sticky once it is sent, if it is. */
  readonly sticky_ms: number | null;
};

export type NewDelayedEvent = Omit<DelayedEventRow, 'position'> & { readonly txn_id: string | null };

const columns =
  'delay_id, user_id, device_id, room_id, type, state_key, content, delay, running_since, due_at, position, ' +
  'origin_server_ts, sticky_ms';

const insertEvent = sql<
  void,
  [
    delayId: string,
    userId: string,
    deviceId: string,
    txnId: string | null,
    roomId: string,
    type: string,
    stateKey: string | null,
    content: string,
    delay: number,
    runningSince: number,
    dueAt: number,
    position: number,
    originServerTs: number | null,
    stickyMs: number | null,
  ]
>(
  'delayed-events.insert',
  `insert into delayed_events (delay_id, user_id, device_id, txn_id, room_id, type, state_key, content, delay,
     running_since, due_at, position, origin_server_ts, sticky_ms)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing`,
);

/** Fails on the guard `delayed-event.repeated` where the transaction left one before. */
export function addDelayedEvent(set: WriteSet, event: NewDelayedEvent, position: number): void {
  set.guard('delayed-event.repeated', 1, insertEvent, [
    event.delay_id,
    event.user_id,
    event.device_id,
    event.txn_id,
    event.room_id,
    event.type,
    event.state_key,
    event.content,
    event.delay,
    event.running_since,
    event.due_at,
    position,
    event.origin_server_ts,
    event.sticky_ms,
  ]);
  set.change('delayed_event', event.user_id);
}

const selectOne = sql<DelayedEventRow, [delayId: string]>(
  'delayed-events.get',
  `select ${columns} from delayed_events where delay_id = $1`,
);

export function findDelayedEvent(reader: Reader, delayId: string): Promise<DelayedEventRow | undefined> {
  return reader.get(selectOne, [delayId]);
}

const selectByTransaction = sql<
  { delay_id: string },
  [userId: string, deviceId: string, roomId: string, type: string, txnId: string]
>(
  'delayed-events.by-transaction',
  `select delay_id from delayed_events
   where user_id = $1 and device_id = $2 and room_id = $3 and type = $4 and txn_id = $5`,
);

export type DelayedTransaction = {
  readonly userId: string;
  readonly deviceId: string;
  readonly roomId: string;
  readonly type: string;
  readonly txnId: string;
};

export async function findDelayIdOf(reader: Reader, key: DelayedTransaction): Promise<string | undefined> {
  const { userId, deviceId, roomId, type, txnId } = key;
  return (await reader.get(selectByTransaction, [userId, deviceId, roomId, type, txnId]))?.delay_id;
}

const selectOfUser = sql<DelayedEventRow, [userId: string, limit: number]>(
  'delayed-events.of-user',
  `select ${columns} from delayed_events where user_id = $1 order by due_at limit $2`,
);

export function listDelayedEvents(reader: Reader, userId: string, limit: number): Promise<DelayedEventRow[]> {
  return reader.all(selectOfUser, [userId, limit]);
}

const selectDue = sql<DelayedEventRow, [now: number, limit: number]>(
  'delayed-events.due',
  `select ${columns} from delayed_events where due_at <= $1 order by due_at limit $2`,
);

export function listDueEvents(reader: Reader, now: number, limit: number): Promise<DelayedEventRow[]> {
  return reader.all(selectDue, [now, limit]);
}

const selectNextOf = sql<{ due_at: number | null }, [userId: string]>(
  'delayed-events.next-of-user',
  'select min(due_at) as due_at from delayed_events where user_id = $1',
);

/** When the first of somebody's is due. */
export async function findNextDueOf(reader: Reader, userId: string): Promise<number | undefined> {
  return (await reader.get(selectNextOf, [userId]))?.due_at ?? undefined;
}

const selectNextDue = sql<{ due_at: number | null }>(
  'delayed-events.next-due',
  'select min(due_at) as due_at from delayed_events',
);

export async function findNextDue(reader: Reader): Promise<number | undefined> {
  return (await reader.get(selectNextDue, []))?.due_at ?? undefined;
}

const moveDue = sql<void, [delayId: string, dueAt: number, before: number]>(
  'delayed-events.move',
  'update delayed_events set due_at = $2 where delay_id = $1 and due_at = $3',
);

/** Takes an event on, until `until`: then another may. Fails on the guard `delayed-event.taken`. */
export function claimDelayedEvent(
  set: WriteSet,
  { delay_id: id, due_at: before }: DelayedEventRow,
  until: number,
): void {
  set.guard('delayed-event.taken', 1, moveDue, [id, until, before]);
}

const releaseEvent = sql<void, [delayId: string, claimedUntil: number]>(
  'delayed-events.release',
  'update delayed_events set due_at = running_since + delay where delay_id = $1 and due_at = $2',
);

/** Gives back what was taken on until a moment: it is due when it was due before. */
export function releaseDelayedEvent(
  set: WriteSet,
  { delay_id: id, user_id: user }: Pick<DelayedEventRow, 'delay_id' | 'user_id'>,
  until: number,
): void {
  set.add(releaseEvent, [id, until]);
  set.change('delayed_event', user);
}

/* Nobody has taken it on, or whoever did is past their time. */
const isFree = '(due_at = running_since + delay or due_at <= $2)';

const restartEvent = sql<void, [delayId: string, now: number]>(
  'delayed-events.restart',
  `update delayed_events set running_since = $2, due_at = $2 + delay where delay_id = $1 and ${isFree}`,
);

/** Fails on the guard `delayed-event.not-found`, also where it is being sent. */
export function restartDelayedEvent(
  set: WriteSet,
  { delay_id: id, user_id: user }: DelayedEventRow,
  now: number,
): void {
  set.guard('delayed-event.not-found', 1, restartEvent, [id, now]);
  set.change('delayed_event', user);
}

const cancelEvent = sql<void, [delayId: string, now: number]>(
  'delayed-events.cancel',
  `delete from delayed_events where delay_id = $1 and ${isFree}`,
);

/** Fails on the guard `delayed-event.not-found`, also where it is being sent. */
export function cancelDelayedEvent(set: WriteSet, delayId: string, now: number): void {
  set.guard('delayed-event.not-found', 1, cancelEvent, [delayId, now]);
}

const deleteEvent = sql<void, [delayId: string]>(
  'delayed-events.delete',
  'delete from delayed_events where delay_id = $1',
);

export function removeDelayedEvent(set: WriteSet, delayId: string): void {
  set.add(deleteEvent, [delayId]);
}

const deleteOfUser = sql<void, [userId: string]>(
  'delayed-events.delete-all',
  'delete from delayed_events where user_id = $1',
);

export function removeDelayedEventsOf(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
