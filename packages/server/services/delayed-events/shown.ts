import { type JsonObject, parseJson } from '@portico/protocol';
import type { FinalisedRow } from '@portico/storage/stores/events/finalised-delayed-events.ts';
import type { DelayedEventRow } from '@portico/storage/stores/events/delayed-events.ts';

/** How a delayed event ended: with an event, with an error, or with neither where it was cancelled. */
export type ShownOutcome = {
  readonly finalised_ts: number;
  readonly event_id?: string;
  readonly error?: JsonObject;
};

/** A delayed event as who left it with the server is shown it. */
export type ShownDelayedEvent = {
  readonly delay_id: string;
  readonly room_id: string;
  readonly type: string;
  readonly state_key?: string;
  readonly content: JsonObject;
  readonly delay_ms: number;
  /** Since when the delay runs. */
  readonly delayed_since_ts: number;
  /** Absent while it waits. */
  readonly finalised?: ShownOutcome;
};

type Row = Pick<DelayedEventRow, 'delay_id' | 'room_id' | 'type' | 'state_key' | 'content' | 'delay' | 'running_since'>;

export function showScheduled(row: Row): ShownDelayedEvent {
  return {
    delay_id: row.delay_id,
    room_id: row.room_id,
    type: row.type,
    ...(row.state_key !== null && { state_key: row.state_key }),
    content: parseJson(row.content) as JsonObject,
    delay_ms: row.delay,
    delayed_since_ts: row.running_since,
  };
}

export function showFinalised(row: FinalisedRow): ShownDelayedEvent {
  const { finalised_at: at, event_id: eventId, error } = row;
  return {
    ...showScheduled(row),
    finalised: {
      finalised_ts: at,
      ...(eventId !== null && { event_id: eventId }),
      ...(error !== null && { error: parseJson(error) as JsonObject }),
    },
  };
}
