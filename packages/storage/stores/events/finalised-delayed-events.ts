import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { DelayedEventRow } from './delayed-events.ts';

/** A delayed event that is sent, cancelled or could not be sent. */
export type FinalisedRow = Pick<
  DelayedEventRow,
  'delay_id' | 'user_id' | 'room_id' | 'type' | 'state_key' | 'content' | 'delay' | 'running_since'
> & {
  /** Milliseconds. */
  readonly finalised_at: number;
  /** Of what was sent. */
  readonly event_id: string | null;
  /** Of what could not be sent, as JSON text. */
  readonly error: string | null;
};

const shared = 'delay_id, user_id, room_id, type, state_key, content, delay, running_since';

const insertOne = sql<void, [delayId: string, at: number, eventId: string | null, error: string | null]>(
  'finalised-delayed-events.insert',
  `insert into finalised_delayed_events (${shared}, finalised_at, event_id, error)
   select ${shared}, $2, cast($3 as text), cast($4 as text) from delayed_events where delay_id = $1
   on conflict do nothing`,
);

const deleteOldest = sql<void, [userId: string, keep: number]>(
  'finalised-delayed-events.delete-oldest',
  `delete from finalised_delayed_events where user_id = $1 and finalised_at <= (
     select f.finalised_at from finalised_delayed_events f where f.user_id = $1
     order by f.finalised_at desc limit 1 offset $2)`,
);

const deleteExpired = sql<void, [before: number]>(
  'finalised-delayed-events.delete-expired',
  'delete from finalised_delayed_events where finalised_at < $1',
);

/** How a delayed event ended: `eventId` where it was sent, `error` where that was refused, neither where it was cancelled. */
export type Outcome = { readonly at: number; readonly eventId?: string | undefined; readonly error?: string };

/** To be in the set before the delayed event is removed. `keep`: so many of the same person, the newest. */
export function finaliseDelayedEvent(
  set: WriteSet,
  { delay_id: delayId, user_id: userId }: Pick<DelayedEventRow, 'delay_id' | 'user_id'>,
  { at, eventId, error }: Outcome,
  keep: number,
): void {
  set.add(insertOne, [delayId, at, eventId ?? null, error ?? null]);
  set.add(deleteOldest, [userId, keep]);
}

export function dropFinalisedBefore(set: WriteSet, time: number): void {
  set.add(deleteExpired, [time]);
}

const selectOne = sql<FinalisedRow, [delayId: string]>(
  'finalised-delayed-events.get',
  `select ${shared}, finalised_at, event_id, error from finalised_delayed_events where delay_id = $1`,
);

export function findFinalised(reader: Reader, delayId: string): Promise<FinalisedRow | undefined> {
  return reader.get(selectOne, [delayId]);
}

const selectOldest = sql<{ finalised_at: number | null }>(
  'finalised-delayed-events.oldest',
  'select min(finalised_at) as finalised_at from finalised_delayed_events',
);

/** When the first of those that are still kept ended. */
export async function findOldestFinalised(reader: Reader): Promise<number | undefined> {
  return (await reader.get(selectOldest, []))?.finalised_at ?? undefined;
}

const deleteOfUser = sql<void, [userId: string]>(
  'finalised-delayed-events.delete-all',
  'delete from finalised_delayed_events where user_id = $1',
);

export function removeFinalisedOf(set: WriteSet, userId: string): void {
  set.add(deleteOfUser, [userId]);
}
